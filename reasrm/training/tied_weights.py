"""What a checkpoint may lack: weights that another one of the model is, which safetensors writes once.

A trainer that resumes loads the weights as they are in the file, finds the tied head missing (`lm_head.weight`) and
warns, though the embeddings that are loaded are the very same tensor. That one message is kept back; about any other
weight that is missing it is told.
"""

import ast
import logging
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

FINGERPRINT_EXEMPT = "it keeps a message back"
TRAINER_LOGGER = "transformers.trainer"
MISSING = re.compile(r"There were missing keys in the checkpoint model loaded: (\[.*\])\.")


@contextmanager
def tied_weights_expected(model: Any) -> Iterator[None]:
    """Within, the trainer says nothing of missing weights if each is another name of a weight of `model`."""
    tied = tied_names(model)

    def is_told(record: logging.LogRecord) -> bool:
        found = MISSING.fullmatch(record.getMessage())
        return found is None or not tied.issuperset(ast.literal_eval(found[1]))

    logger = logging.getLogger(TRAINER_LOGGER)
    logger.addFilter(is_told)
    try:
        yield
    finally:
        logger.removeFilter(is_told)


def tied_names(model: Any) -> frozenset[str]:
    """The names of parameters that have another name besides."""
    names = defaultdict(list)
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names[id(parameter)].append(name)
    return frozenset(name for same in names.values() if len(same) > 1 for name in same)
