"""Where requests may go, and what of an address is shown."""

import pytest

from reasrm.apis.request_format import ApiProtocol
from reasrm.apis.service_address import AddressError, is_this_machine, read_address, require_proxies, service_address


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
        "htp://host/v1",
        "http:///v1",
        "http://[::1",
        "http://host:port/v1",
        "http://host:99999/v1",
        "http://host:0/v1",
        "judge",
        "user:canary-4711@host/v1",
        "https://user:canary-4711",
        "https://user:canary-4711#x@host/v1",
        "https://user:canary/4711@host/v1",
        "http//host/v1?key=canary-4711",
        "host/v1?mail=a@b&key=canary-4711",
    ],
)
def test_what_is_no_address_is_refused_without_its_secrets(url: str) -> None:
    with pytest.raises(AddressError, match=r"begins with http:// or https://") as caught:
        read_address(url, [])
    assert "canary" not in str(caught.value).replace("user:canary-4711' is no", "")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://host/v1?api-key=canary-4711", "query or fragment"),
        ("http://host/v1?api-version=1&key=canary-4711", "query or fragment"),
        ("http://host/v1?api-version=canary%204711", "query or fragment"),
        ("http://host/v1?canary-4711", "query or fragment"),
        ("http://host/v1#canary-4711", "query or fragment"),
        ("http://someone:canary-4711@host/v1?x=1", "query or fragment"),
        ("http://host/canary-4711/v1", "holds a key"),
        ("http://host/canary%2D4711/v1", "holds a key"),
        ("http://host/sk-canary-4711-abcdefgh/v1", "holds a key"),
        ("http://host/v1/chat/completions", "ends with /chat/completions"),
        ("http://host/v1/chat/completions/", "ends with /chat/completions"),
        ("http://host/v1/responses", "ends with /responses"),
        ("http://host/v1/messages", "ends with /messages"),
        ("http://host/v1 ", "space or a control character"),
        ("http://host/v1\r", "space or a control character"),
        (" http://host/v1", "space or a control character"),
        ("http://ho st/v1", "space or a control character"),
        ("http://host/v\N{ZERO WIDTH SPACE}1", "space or a control character"),
    ],
)
def test_what_would_be_written_down_or_go_astray_is_refused(url: str, said: str) -> None:
    with pytest.raises(AddressError, match=said) as caught:
        read_address(url, ["canary-4711"])
    message = str(caught.value)
    assert "canary" not in message
    assert message.isprintable()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/v1",
        "http://[::1]:8000/v1",
        "http://0.0.0.0:8000/v1/",
        "https://m\N{LATIN SMALL LETTER U WITH DIAERESIS}ller.example/v1",
        "https://gateway.example/v1/0123456789abcdef0123456789abcdef/judge/openai",
        "https://x.openai.azure.com/openai/v1?api-version=preview",
        "HTTPS://Host.Example/v1",
    ],
)
def test_other_addresses_are_taken_as_they_are(url: str) -> None:
    assert read_address(url, ["canary-4711"]).shown.lower() == url.lower()


def test_user_and_password_are_taken_apart() -> None:
    address = read_address("https://some%20one:p%40ss@judge.example:8443/v1?api-version=1", [])
    assert (address.user, address.password) == ("some one", "p@ss")
    assert address.shown == "https://judge.example:8443/v1?api-version=1"
    assert address.headers == {"Authorization": "Basic c29tZSBvbmU6cEBzcw=="}
    assert read_address("https://canary-4711@judge.example", []).secrets[-1] == "canary-4711"


@pytest.mark.parametrize("protocol", ApiProtocol)
def test_the_variable_is_named_where_it_gave_the_address(
    monkeypatch: pytest.MonkeyPatch, protocol: ApiProtocol
) -> None:
    monkeypatch.delenv(protocol.address_variable, raising=False)
    assert service_address(None, protocol) is None
    for value, said in (("judge", "is no address"), ("", "set to nothing")):
        monkeypatch.setenv(protocol.address_variable, value)
        with pytest.raises(AddressError, match=protocol.address_variable) as caught:
            service_address(None, protocol)
        assert said in str(caught.value)
    with pytest.raises(AddressError, match="`base_url` is set to nothing"):
        service_address("", protocol)


@pytest.mark.parametrize(
    "url", ["not a url", "ftp://proxy", "http://[::1", "http://me:canary@proxy:99999", "http://ca nary@p"]
)
def test_a_proxy_that_is_none_is_refused_by_its_variable(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("https_proxy", url)
    with pytest.raises(AddressError, match="https_proxy") as caught:
        require_proxies()
    assert "canary" not in str(caught.value)
    for usable in ("http://me:canary@proxy:3128", "proxy:3128", "https://proxy"):
        monkeypatch.setenv("https_proxy", usable)
        require_proxies()
