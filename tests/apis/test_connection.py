"""Where requests may go, who needs a key, and that no key stays in a message that is kept."""

import json
from pathlib import Path

import pytest

from reasrm.apis.anthropic_messages import AnthropicClient
from reasrm.apis.connection import LOCAL_KEY, AddressError, Connection, address_parts, is_this_machine, without_keys
from reasrm.apis.request_format import ApiProtocol


@pytest.fixture
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for protocol in ApiProtocol:
        for name in (*protocol.key_variables, protocol.address_variable):
            monkeypatch.delenv(name, raising=False)


def key_for(url: str | None, protocol: ApiProtocol) -> str | None:
    """The key that the client of a service gets without any in the environment."""
    return Connection(1, 1, base_url=url).local_key(protocol)


@pytest.mark.usefixtures("no_keys")
@pytest.mark.parametrize("protocol", ApiProtocol)
def test_only_what_is_served_on_this_machine_needs_no_key(
    monkeypatch: pytest.MonkeyPatch, protocol: ApiProtocol
) -> None:
    assert key_for("http://127.0.0.1:8000/v1", protocol) == LOCAL_KEY
    assert key_for("https://127.0.0.1.example:8000/v1", protocol) is None
    assert key_for(None, protocol) is None
    monkeypatch.setenv(protocol.address_variable, "http://localhost:8000/v1")
    assert key_for(None, protocol) == LOCAL_KEY, "the address of the SDK's variable is as good as a given one"
    assert key_for("https://judge.example/v1", protocol) is None, "a given address goes before that of the variable"
    monkeypatch.setenv(protocol.key_variables[-1], "canary-4711")
    assert key_for(None, protocol) is None, "the SDK finds the user's own"


@pytest.mark.usefixtures("no_keys")
def test_a_profile_goes_before_the_key_that_opens_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    served_here = Connection(1, 1, base_url="http://127.0.0.1:8000")
    assert AnthropicClient(served_here).sdk.api_key == LOCAL_KEY
    monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", str(tmp_path))
    for folder in ("configs", "credentials"):
        (tmp_path / folder).mkdir()
    profile = {"version": "1.0", "authentication": {"type": "user_oauth", "client_id": "x"}}
    (tmp_path / "configs/default.json").write_text(json.dumps(profile))
    (tmp_path / "credentials/default.json").write_text(json.dumps({"type": "oauth_token", "access_token": "canary"}))
    assert AnthropicClient(served_here).sdk.api_key is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "::1", "0.0.0.0"])
def test_addresses_of_this_machine(host: str) -> None:
    assert is_this_machine(host)
    assert not is_this_machine(f"{host}.example")
    assert not is_this_machine(None)


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8000/v1",
        "127.0.0.1:8000",
        "ftp://host/v1",
        "http:///v1",
        "http://[::1",
        "http://host:port/v1",
        "http://host:99999/v1",
        "judge",
        "user:canary-4711@host/v1",
    ],
)
def test_what_is_no_address_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(AddressError, match=r"begins with http:// or https://") as caught:
        address_parts(url)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("Incorrect API key: canary-4711.", "Incorrect API key: [key]."),
        ("canary-4711canary-4711", "[key][key]"),
        ("provided: sk-ant-api03-abc_DEF-9, not ours", "provided: [key], not ours"),
        ("header Authorization: Bearer ey.J0.x9 refused", "header Authorization: Bearer [key] refused"),
        ("ask-and-you-shall-be-given a risk-free k", "ask-and-you-shall-be-given a risk-free k"),
    ],
)
def test_keys_are_replaced_and_words_are_not(message: str, kept: str) -> None:
    assert without_keys(message, ["canary-4711", "k", ""]) == kept
