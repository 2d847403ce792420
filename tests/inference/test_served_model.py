"""The description of a served model: what is wrong with it is said, and nothing of a secret in it."""

from pathlib import Path

import pytest

from reasrm.inference.served_model import load_served_model, served_model
from reasrm.runtime.stage_main import StageError


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model: m\napi_key: canary-4711", "api_key: there is no such field (keys come from the environment)"),
        ("model: m\nheaders: {Authorization: canary-4711}", "headers: there is no such field"),
        ("model: m\nbase_url: [canary-4711]", "base_url: Input should be a valid string"),
        ("canary-4711", "file: Input should be"),
        ("model: m\nretries: many", "retries: Input should be a valid integer"),
    ],
)
def test_a_fault_is_named_without_what_may_be_a_secret(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "served.yaml"
    file.write_text(text)
    with pytest.raises(StageError, match=r"served\.yaml: not the description of a served model") as caught:
        load_served_model(file)
    assert said in str(caught.value)
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_identity_holds_where_a_service_is_and_not_its_password() -> None:
    address = "https://me:canary-4711@judge.example/v1?api-version=1"
    assert served_model("m", address).address == "https://judge.example/v1?api-version=1"
    with pytest.raises(StageError, match="query or fragment"):
        _ = served_model("m", "https://judge.example/v1?api-key=canary").address
