#!/usr/bin/env bash
# Install a lock into a virtual environment. Usage: [VERBOSE=1] locks/install.sh VENV LOCK
#
# The lock is a complete list, so nothing is resolved (--no-deps). uv does it in a minute where pip needs several; it does
# not read pip's settings, so they are handed over, and pip itself is the way where uv fails. Torch goes first: its build is
# checked before two gigabytes follow.
set -euo pipefail
venv="$1" lock="$2" quiet="--quiet"
[ -z "${VERBOSE:-}" ] || quiet=""
python="$venv/bin/python"
[ -x "$python" ] || "${PYTHON:-python3}" -m venv "$venv"

pip_setting() { "$python" -m pip config get "$1" 2>/dev/null || true; }
links="${PIP_FIND_LINKS:-$(pip_setting global.find-links)}"
index="${PIP_INDEX_URL:-$(pip_setting global.index-url)}"
extra="${PIP_EXTRA_INDEX_URL:-$(pip_setting global.extra-index-url)}"
export UV_FIND_LINKS="${UV_FIND_LINKS:-$links}" UV_EXTRA_INDEX_URL="${UV_EXTRA_INDEX_URL:-$extra}"
export UV_INDEX_STRATEGY=unsafe-best-match # as pip: versions are pinned, whichever index has them
[ -z "$index" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$index}"
[ -z "${PIP_CERT:-}" ] || export SSL_CERT_FILE="${SSL_CERT_FILE:-$PIP_CERT}"

# Python keeps what it compiled at the first import. Where it is told not to, as in many container images, each stage would
# compile torch and transformers anew (6 CPU seconds of 11 that its start then takes): there it is done once, here.
[ -z "${PYTHONDONTWRITEBYTECODE:-}" ] || export UV_COMPILE_BYTECODE=1

add() {
  "$venv/bin/uv" pip install $quiet --python "$python" --no-deps "$@" ||
    "$python" -m pip install $quiet --no-deps --no-compile --progress-bar on "$@"
}

"$python" -m pip install --quiet --disable-pip-version-check "$(grep '^uv==' "$lock")"
add "$(grep '^torch==' "$lock")"
"$python" "$(dirname "$0")/check_torch.py" "$python" "$lock"
add -r "$lock"
"$python" -m pip install --no-deps --no-build-isolation --quiet --disable-pip-version-check -e .
