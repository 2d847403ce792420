"""How an SDK is connected: who needs a key, what no header can hold, what goes through a proxy."""

import json
from pathlib import Path

import pytest

from reasrm.apis.anthropic_messages import AnthropicClient
from reasrm.apis.clients import open_client
from reasrm.apis.connection import LOCAL_KEY, Connection, NoKeyError
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


UNSENDABLE = [
    ("canary-4711\r", "a carriage return at its end"),
    ("canary-4711\n", "a line feed at its end"),
    ("canary-4711\r\n", "a carriage return at its end"),
    (" canary-4711", "a space at its beginning"),
    ("canary-4711 ", "a space at its end"),
    ("Bearer canary-4711", "a space inside"),
    ("canary\t-4711", "a tab inside"),
    ("canary-\N{CYRILLIC SMALL LETTER ES}-4711", "a character that is not ASCII inside"),
    ("\N{ZERO WIDTH NO-BREAK SPACE}canary-4711", "a character that is not ASCII at its beginning"),
    ("canary\x1b[0m-4711", "a control character inside"),
    ("'canary-4711'", "quotation marks around the key"),
]


@pytest.mark.usefixtures("no_keys")
@pytest.mark.parametrize(("key", "said"), UNSENDABLE)
@pytest.mark.parametrize("protocol", ApiProtocol)
def test_a_key_that_no_header_can_hold_is_refused_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, protocol: ApiProtocol, key: str, said: str
) -> None:
    monkeypatch.setenv(protocol.key_variable, key)
    with pytest.raises(NoKeyError, match=f"{protocol.key_variable} holds {said}, which cannot be sent") as caught:
        open_client(protocol, Connection(1, 1))
    assert "canary" not in str(caught.value)
    assert "4711" not in str(caught.value)


@pytest.mark.usefixtures("no_keys")
@pytest.mark.parametrize("protocol", ApiProtocol)
def test_an_empty_key_is_none(monkeypatch: pytest.MonkeyPatch, protocol: ApiProtocol, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(protocol.key_variable, "")
    with pytest.raises(NoKeyError, match=protocol.key_variable):
        open_client(protocol, Connection(1, 1))


@pytest.mark.usefixtures("no_keys")
def test_headers_of_ones_own_are_checked_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "api-key: canary-4711\r\nX-Team: one two")
    client = open_client(ApiProtocol.OPENAI, Connection(1, 1))
    assert client.shortened("canary-4711 of one two") == "[key] of [key]"
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "api-key: canary-\x004711".replace("\x00", "\x7f"))
    with pytest.raises(NoKeyError, match="OPENAI_CUSTOM_HEADERS holds a control character inside"):
        open_client(ApiProtocol.OPENAI, Connection(1, 1))


@pytest.mark.usefixtures("no_keys")
@pytest.mark.parametrize("protocol", ApiProtocol)
def test_user_and_password_take_the_keys_place(protocol: ApiProtocol) -> None:
    client = open_client(protocol, Connection(1, 1, base_url="https://someone:p%40ss-word@judge.example/v1"))
    assert client.sdk.base_url.userinfo == b""
    assert client.sdk.default_headers["Authorization"] == "Basic c29tZW9uZTpwQHNzLXdvcmQ="
    assert client.shortened("no p@ss-word, p%40ss-word, c29tZW9uZTpwQHNzLXdvcmQ=") == "no [key], [key], [key]"


@pytest.mark.usefixtures("no_keys")
def test_an_api_version_goes_with_every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    address = "https://x.openai.azure.com/openai/deployments/d?api-version=2024-10-21"
    sdk = open_client(ApiProtocol.OPENAI, Connection(1, 1, base_url=address)).sdk
    assert (str(sdk.base_url), sdk.default_query) == (address.partition("?")[0] + "/", {"api-version": "2024-10-21"})


@pytest.mark.parametrize("protocol", ApiProtocol)
def test_what_is_served_on_this_machine_is_asked_without_a_proxy_and_no_redirect_is_followed(
    protocol: ApiProtocol,
) -> None:
    here = Connection(1, 1, base_url="http://127.0.0.1:8000/v1").transport_arguments(protocol)
    there = Connection(1, 1, base_url="http://judge.example/v1").transport_arguments(protocol)
    assert (here["trust_env"], there["trust_env"]) == (False, True)
    assert here["follow_redirects"] is there["follow_redirects"] is False


def test_the_password_of_a_proxy_is_told_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://me:canary%2F4711@proxy.example:3128")
    assert "canary/4711" in set(Connection(1, 1).secrets(ApiProtocol.OPENAI))
