"""`reasrm serve-judge`: one judge behind HTTP, as the reward of a policy that is trained elsewhere.

    reasrm serve-judge [--model data/checkpoints/grpo-full] [--ledger judged.jsonl] [--port 8765]

Light at import, since `reasrm --help` imports it: what serves is imported when it is needed.
"""

import typer

from reasrm.commands.command_run import run_command
from reasrm.commands.named_judge import (
    ApiOption,
    BaseUrlOption,
    DataParallelOption,
    DtypeOption,
    EngineOption,
    MaxNewTokensOption,
    ModelOption,
    PromptFileOption,
    ServedOption,
    TensorParallelOption,
    VariantOption,
)
from reasrm.commands.serve_options import (
    BATCH,
    BODY_MB,
    HOST,
    PORT,
    QUEUE,
    TIMEOUT,
    WAIT_MS,
    BatchOption,
    BodyOption,
    EndOption,
    GroupOption,
    HostOption,
    LedgerOption,
    PortOption,
    QueueOption,
    ServeOptions,
    TimeoutOption,
    WaitOption,
)
from reasrm.runtime.stage_main import ExitCode
from reasrm.runtime.terminal import say_error

COMMAND = "reasrm serve-judge"
MEGABYTE = 1_000_000
BODY_SECONDS = 60.0
"""A body comes within this time, or not at all."""
HELP = "\n\n".join(
    (
        "Serve one judge over HTTP, as the reward of a policy that is trained elsewhere.",
        'POST /compare takes {"prompt": "...", "answers": ["...", "..."]}, two answers or more, and gives a reward for '
        "each and every comparison behind it, both orders. In a TRL training: "
        "`reward_funcs=[reasrm.judge_reward(URL)]`. POST /get_reward is OpenRLHF's remote reward model, and /compare "
        "takes NeMo Gym's words too. GET /health says whether the model is loaded, GET /metrics counts for Prometheus.",
        "Requests that wait are judged together. With --ledger every judgment is kept as it is made: killed and "
        "started again, the service judges nothing twice. SIGTERM ends it: what is being judged is answered, what "
        "waits is told to come again.",
        "It listens on this machine alone. Any other --host needs a token in REASRM_SERVE_TOKEN, which clients send as "
        "a bearer token; put TLS in front of it.",
    )
)
EPILOG = (
    "Exit status: 0 ended by SIGTERM, 1 failed, 2 wrong usage, 4 another run writes to the same ledger, "
    "130 interrupted."
)


def serve_judge(  # noqa: PLR0913  one parameter per option of the command line
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    api: ApiOption = None,
    served: ServedOption = None,
    engine: EngineOption = None,
    dtype: DtypeOption = None,
    tensor_parallel: TensorParallelOption = None,
    data_parallel: DataParallelOption = None,
    prompt_file: PromptFileOption = None,
    variant: VariantOption = None,
    max_new_tokens: MaxNewTokensOption = None,
    host: HostOption = HOST,
    port: PortOption = PORT,
    ledger: LedgerOption = None,
    end_of_reply: EndOption = None,
    group_size: GroupOption = None,
    max_batch: BatchOption = BATCH,
    max_wait: WaitOption = WAIT_MS,
    timeout: TimeoutOption = TIMEOUT,
    queue: QueueOption = QUEUE,
    max_body: BodyOption = BODY_MB,
) -> None:
    """Serve one judge over HTTP; `HELP` is what the command line shows."""
    options = ServeOptions(**locals())
    error = options.usage_error()
    if error is not None:
        say_error(COMMAND, error)
        raise typer.Exit(int(ExitCode.USAGE))
    raise typer.Exit(
        run_command(
            COMMAND, lambda: serve_by(options), on_stop="", interrupted=lambda: "interrupted; nothing is served"
        )
    )


def serve_by(options: ServeOptions) -> int:
    """Serve the judge that the options name; returns the exit status."""
    from reasrm.serving.access import access_for
    from reasrm.serving.judging_queue import QueueLimits
    from reasrm.serving.kept_judgments import open_ledger
    from reasrm.serving.request_reading import BodyLimits
    from reasrm.serving.server import ServerSettings
    from reasrm.serving.server import serve_judge as serve

    settings = ServerSettings(
        host=options.host,
        port=options.port,
        access=access_for(options.host),
        queue=QueueLimits(options.queue, options.max_batch, options.max_wait / 1000),
        body=BodyLimits(options.max_body * MEGABYTE, BODY_SECONDS),
        timeout_seconds=options.timeout,
        special_tokens=tuple(options.end_of_reply or ()),
        group_size=options.group_size,
    )
    with open_ledger(options.ledger) as ledger, options.open_judge() as judge:
        return serve(judge, ledger, settings)
