"""Stop an installation early that would bring a CUDA build of torch to a machine without a GPU.

Run: python locks/check_torch.py VENV_PYTHON LOCK_FILE
"""

import subprocess
import sys

READ_VERSION = "import importlib.metadata as m; print(m.version('torch'))"
ADVICE = """The torch that pip found is {version}, a build for CUDA, and this machine has no NVIDIA GPU.
Let pip see PyTorch's CPU wheels and call the same command again; on Linux that is
    export PIP_EXTRA_INDEX_URL=<the CPU wheel index named on PyTorch's "Get started" page>
(or PIP_FIND_LINKS=<a folder with the wheel>). For a GPU machine: make install LOCK=locks/gpu.txt"""


def main() -> None:
    """Exit 1 with advice if the lock is a CPU lock and the installed torch is a Linux build without `+cpu`."""
    python, lock = sys.argv[1:3]
    version = subprocess.run([python, "-c", READ_VERSION], check=True, capture_output=True, text=True).stdout.strip()
    if sys.platform == "linux" and "cpu" in lock and not version.endswith("+cpu"):
        subprocess.run([python, "-m", "pip", "uninstall", "-q", "-y", "torch"], check=True)
        sys.exit(ADVICE.format(version=version))


if __name__ == "__main__":
    main()
