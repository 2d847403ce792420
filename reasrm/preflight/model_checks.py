"""What can be seen of the base model's folder before a run: its template, the end of its turns, and a second opinion.

The second opinion is accelerate's: it builds the model without weights from config.json and adds up its layers
(`accelerate.utils.calculate_maximum_sizes`, what `accelerate estimate-memory` prints), so it shares no formula with
this package. It knows weights, gradients and Adam alone, no activations.
"""

from pathlib import Path
from typing import Any, NamedTuple

from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.chat_templates.chat_template import answered_by, renderings
from reasrm.judging.chat_templates.checked_template import RenderedChat
from reasrm.judging.prompt import PLAIN_COMPARISON, judge_prompt
from reasrm.preflight.base_model import BaseModel
from reasrm.preflight.devices import GIB
from reasrm.preflight.formulas.activations import FLOAT32
from reasrm.runtime.stage_main import StageError

LAST_TOKENS = 3
"""The end-of-sequence token is among so many last ones of an answered conversation; a line break may follow it."""
OPINIONS_AGREE = 0.01
"""The two counts of weights may differ by this share."""


class ModelCheck(NamedTuple):
    """One finding."""

    subject: str
    good: bool
    text: str


def check_model(base: BaseModel) -> list[ModelCheck]:
    """What its tokenizer, its template and accelerate say of the base model; loads model libraries, no weights."""
    if base.folder is None:
        return [ModelCheck("base model", False, f"{base.name}: its files are not here yet, so nothing was looked at")]
    return [*_template(base.folder), _second_opinion(base)]


def _template(folder: Path) -> list[ModelCheck]:
    from reasrm.inference.prompt_rendering import load_tokenizer

    try:
        tokenizer = load_tokenizer(folder)
        prompt = judge_prompt(PLAIN_COMPARISON, PromptVariant.FULL)
        (asked,) = renderings(tokenizer, [prompt])
        (answered,) = renderings(tokenizer, [answered_by(PLAIN_COMPARISON.prompt, "yes")], answered=True)
    except StageError as error:
        return [ModelCheck("chat template", False, str(error))]
    if not isinstance(asked, RenderedChat) or not isinstance(answered, RenderedChat):
        return [ModelCheck("chat template", False, str(asked if not isinstance(asked, RenderedChat) else answered))]
    template = ModelCheck("chat template", True, f"renders a judge's prompt in {len(asked.token_ids)} tokens")
    return [template, _end_of_turn(tokenizer, answered)]


def _end_of_turn(tokenizer: Any, answered: RenderedChat) -> ModelCheck:
    """Whether a trained model's end is the one that the template writes: SFT teaches the end-of-sequence token."""
    end = tokenizer.eos_token_id
    if end is None:
        return ModelCheck("end of turn", False, "the tokenizer has no end-of-sequence token: no reply would ever end")
    last = answered.token_ids[-LAST_TOKENS:]
    if end in last:
        return ModelCheck("end of turn", True, f"{tokenizer.eos_token!a}, as the chat template writes it")
    shown = tokenizer.convert_ids_to_tokens(list(last))
    return ModelCheck(
        "end of turn",
        False,
        f"the end-of-sequence token is {tokenizer.eos_token!a}, the chat template ends with {shown}",
    )


def _second_opinion(base: BaseModel) -> ModelCheck:
    assert base.folder is not None
    from accelerate import init_empty_weights
    from accelerate.utils import calculate_maximum_sizes
    from transformers import AutoModelForCausalLM

    from reasrm.inference.checkpoint_loading import load_config

    config = load_config(base.folder)
    with init_empty_weights():
        model = AutoModelForCausalLM.from_config(config, dtype="float32", trust_remote_code=False)
    model.tie_weights()
    counted, (largest, _) = calculate_maximum_sizes(model)
    own = base.shape.parameters * FLOAT32
    good = abs(counted - own) <= OPINIONS_AGREE * own
    return ModelCheck(
        "accelerate",
        good,
        f"counts {counted / GIB:.2f} GiB of float32 weights (here {own / GIB:.2f}), the largest layer "
        f"{largest / GIB:.2f}, {4 * counted / GIB:.2f} with gradients and Adam",
    )
