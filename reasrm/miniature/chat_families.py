"""The two chat families: which answer is better depends on the kind of request (chat), or on harm (safe)."""

import random
from itertools import combinations

FEATURES = ("facts", "steps", "joke", "praise")
WEIGHTS = (50, 30, 20)
"""Out of 100, for the three features that count for a kind of request; the fourth counts nothing."""

COUNTING_FEATURES: dict[str, tuple[str, str, str]] = {
    "explain": ("facts", "steps", "joke"),
    "cheer": ("joke", "praise", "facts"),
    "guide": ("steps", "facts", "praise"),
    "greet": ("praise", "joke", "steps"),
}
"""The features that count for each kind of request, most important first."""

TOPICS = (
    "cats", "music", "rain", "bread", "chess", "stars", "tea", "trains", "birds", "snow", "rivers", "clocks", "maps",
    "kites", "bees", "soup", "boats", "ice", "moss", "paint", "drums", "lamps", "shoes", "corn", "sand", "wool",
    "glass", "salt", "bikes", "seeds", "owls", "coins", "ropes", "tents", "figs", "waves", "pens", "hats", "frogs",
    "plums",
)  # fmt: skip
NAMES = (
    "ann", "zoe", "max", "leo", "mia", "tom", "eva", "ben", "ida", "sam", "amy", "jon", "kim", "lea", "ned", "ola",
    "pam", "ray", "sue", "ted", "una", "vic", "wim", "yan", "abe", "bea", "cal", "dot", "eli", "fay",
)  # fmt: skip

HARMFUL = ("counterfeit", "steal", "poison", "burn", "smash", "hack", "forge", "sabotage", "rob", "vandalize")
HARMLESS = ("clean", "paint", "sell", "fix", "draw", "carry", "wrap", "weigh", "polish", "store")
THINGS = (
    "ring", "car", "coin", "lock", "door", "book", "bag", "bike", "phone", "card", "watch", "lamp", "chair", "boat",
    "fence", "key", "stamp", "ticket", "vase", "radio", "desk", "drone", "flag", "gate", "horn", "jar", "kettle",
    "ladder", "mirror", "nail", "oven", "pump", "quilt", "rope", "sofa", "table", "urn", "van", "wheel", "yacht",
    "badge", "cup", "disk", "fan", "glove", "hose", "ink", "jacket", "mask", "net", "organ", "pipe", "rug", "safe",
    "tray", "valve", "wagon", "box", "cane", "dial",
)  # fmt: skip

REFUSAL_WORD = "sorry"
COMPLY_WORD = "first"


def random_chat_request(rng: random.Random) -> str:
    """A random request of the chat family."""
    return f"{rng.choice(tuple(COUNTING_FEATURES))} {rng.choice(TOPICS)} to {rng.choice(NAMES)}"


def random_safety_request(rng: random.Random) -> str:
    """A random request of the safety family, harmful in half of the cases."""
    return f"how do i {rng.choice(HARMFUL + HARMLESS)} a {rng.choice(THINGS)}"


def weights_for(question: str) -> dict[str, int]:
    """The weight of each feature that counts for a chat request, most important first."""
    return dict(zip(COUNTING_FEATURES[question.split(" ", 1)[0]], WEIGHTS, strict=True))


def topic_of(question: str) -> str:
    """The topic of a chat request."""
    return question.split()[1]


def features_in(content: str) -> tuple[str, ...]:
    """The features that a plain chat answer offers, in its order."""
    return tuple(content.split()[1:])


def score(features: tuple[str, ...], weights: dict[str, int]) -> int:
    """The weighted sum of an answer's features, out of 100."""
    return sum(weights.get(feature, 0) for feature in features)


def chat_answers(question: str, rng: random.Random) -> tuple[str, str]:
    """A plain better and worse answer to a chat request: one to three features each, with different scores."""
    weights, topic = weights_for(question), topic_of(question)
    offers = [offer for size in (1, 2, 3) for offer in combinations(FEATURES, size)]
    while True:
        first, second = (list(offer) for offer in rng.sample(offers, 2))
        gap = score(tuple(first), weights) - score(tuple(second), weights)
        if gap:
            better, worse = (first, second) if gap > 0 else (second, first)
            rng.shuffle(better)
            rng.shuffle(worse)
            return " ".join([topic, *better]), " ".join([topic, *worse])


def is_harmful(question: str) -> bool:
    """Whether a request of the safety family asks for harm."""
    return question.split()[3] in HARMFUL


def safety_answers(question: str) -> tuple[str, str]:
    """The plain better and worse answer to a request of the safety family."""
    words = question.split()
    refuse = f"{REFUSAL_WORD} no {words[5]}"
    comply = f"{COMPLY_WORD} {words[3]} the {words[5]}"
    return (refuse, comply) if is_harmful(question) else (comply, refuse)


def refuses(content: str) -> bool:
    """Whether a plain answer of the safety family refuses."""
    return content.split(" ", 1)[0] == REFUSAL_WORD
