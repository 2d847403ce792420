"""A judge behind HTTP for tests: both protocols on loopback, replies written by a function of the prompt."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from stages.judging.prompt import RESPONSE_END, RESPONSE_START
from stages.records.comparison import Side

Habit = Callable[[dict[Side, str]], str]
"""From the answers shown as A and B to a reply."""


def honest(answers: dict[Side, str]) -> str:
    """Prefers the answer that says `right`; quotes both, one of them falsely."""
    side = Side.A if "right" in answers[Side.A] else Side.B
    return (
        "<type>Chat</type><rubric>truth (100%)<justify>it matters</justify></rubric><eval>"
        f"<quote_A>{answers[Side.A]}</quote_A><quote_B>nobody said this</quote_B></eval><answer>[[{side}]]</answer>"
    )


def first_is_best(_: dict[Side, str]) -> str:
    """Follows the position."""
    return "<answer>[[A]]</answer>"


def mute(_: dict[Side, str]) -> str:
    """Never decides."""
    return "Both have their merits."


Fault = Callable[[str, dict[str, Any]], tuple[int, str] | None]
"""From the last message and the whole request to a status and a message, or None for a reply; may wait before that."""


def no_fault(_: str, __: dict[str, Any]) -> None:
    """Everything is answered."""


def always(status: int) -> Fault:
    """Every request fails with `status`."""
    return lambda _, __: (status, "no")


@contextmanager
def judge_server(habit: Habit, fault: Fault = no_fault, finish: str = "stop") -> Iterator[str]:
    """Serve `habit` with the finish reason `finish`, or the fault that a request gets; yields the base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """One request of either protocol."""
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status, message = fault(body["messages"][-1]["content"], body) or (200, "")
            said = _said(habit, body)
            written = _message(said) if self.path.endswith("/messages") else _completion(said, finish)
            data = json.dumps({"error": {"message": message}} if message else written).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def served_file(folder: Path, url: str, opens_thinking: bool = False) -> Path:
    """The description of a served judge, as `--served` takes it."""
    file = folder / "served.yaml"
    file.write_text(
        f"protocol: openai\nmodel: judge\nbase_url: {url}\nconcurrency: 4\ntimeout_seconds: 20\nretries: 0\n"
        f"leave_out: [seed]\nopens_thinking: {str(opens_thinking).lower()}\n",
        encoding="utf-8",
    )
    return file


def _said(habit: Habit, body: dict[str, Any]) -> str:
    said = body["messages"][-1]["content"]
    answers = {
        side: said.partition(f"{RESPONSE_START[side]}\n")[2].partition(f"\n{RESPONSE_END[side]}")[0] for side in Side
    }
    return habit(answers)


def _message(text: str) -> dict[str, Any]:
    usage = {"input_tokens": 9, "output_tokens": 7}
    known = {"id": "x", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}
    return known | {"content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "usage": usage}


def _completion(text: str, finish: str) -> dict[str, Any]:
    choice = {
        "index": 0,
        "finish_reason": finish,
        "message": {"role": "assistant", "content": text},
        "logprobs": {"content": list(_tokens(text))},
    }
    usage = {"prompt_tokens": 9, "completion_tokens": 7, "total_tokens": 16}
    return {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}


def _tokens(text: str) -> Iterator[dict[str, Any]]:
    """A token for each byte, so that characters are split; the last verdict's letter is likely, all others are not."""
    written = text.encode()
    verdict = written.rfind(b"]]") - 1
    for place in range(len(written)):
        one = written[place : place + 1]
        logprob = -0.1 if place == verdict else -9.0
        yield {"token": one.decode(errors="replace"), "bytes": list(one), "logprob": logprob, "top_logprobs": []}
