# ruff: noqa: E501  (one wording a line)
"""Whether a judgment betrays that its verdict was known beforehand.

The second oracle pass is told the right verdict and shown an earlier attempt (`chain_of_rubrics.HINT`). A judgment that
says so teaches a judge to speak of hints. Betraying is: a verdict that is known, given, required or right before
anything was compared; a judge that was told or instructed what to find; an earlier judgment of the same case; a hint, a
reference or a label that names the better answer; the promise not to mention any of it. Honest is the same wording
about the matter: what clients, courts, students and code were told, attempted or given, and what the answers say.

It is decided sentence by sentence, outside quotations and retellings. How often it is right is measured on labelled
sentences (docs/judging.md, tests/data_quality/hint_sentences.txt).
"""

import re

_NOT_THE_JUDGES = re.compile(
    r"<(quote|summary)_([AB])>.*?</\1_\2>|\"[^\"\n]{1,400}\"|“[^”\n]{1,400}”|<solution>.*?</solution>", re.DOTALL
)
"""Words of others, and the judge's own work on the question, where answers are known and given rightly."""
_SENTENCE_END = re.compile(r"[.!?;]+(?=[\s<*)]|$)|\n|</?\w+>")
_MATTER = re.compile(
    r"\b(?:court|jury|trial|appeal\w*|defendant|lawsuit|ruling|landlord|patient|doctor|teacher|student|children|player|"
    r"puzzle|story|narrator|character|riddle|match|game|essay|plan|code|login|sign in|accounts|passengers?)\b",
    re.IGNORECASE,
)
"""What the wording is about if it is honest: others than the judge have verdicts, attempts and hints, too."""

_SIDE = r"(?:(?:answer|response|option|assistant|chatbot)\s+)?(?-i:\b[AB]\b)(?!'s)"
_WINNING = r"(?:better(?!\s+(?:known|informed))|best|right|correct|preferred|winner|winning|stronger|superior|chosen)"
_BETTER = (
    rf"(?:(?:is|was|to be|as|being|should be|has to be|must be)\s+(?:indeed\s+)?(?:the\s+|clearly\s+)*{_WINNING}"
    r"|is\s+the\s+(?:answer|one|side)\s+to\s+(?:be\s+preferred|prefer)|wins|should win|must win|beats)"
)
_PAST = (
    r"(?:known|given|provided|supplied|stated|fixed|set|decided|predetermined|settled|determined|specified|established)"
)
_TOLD = r"(?:told|informed|instructed|directed|ordered|notified|hinted)"
_JUDGMENT = r"(?:verdict|judge?ment)"
_EARLIER = r"(?:earlier|previous|prior|first|last|initial|failed|former|rejected|faulty)"
_SOURCE = (
    r"(?:ground[- ]truth|gold(?:en)?(?: label| standard| verdict)?|reference(?: verdict| judge?ment)?|(?:answer )?key|"
    r"(?:benchmark's |dataset's )?label|annotations?|annotators?|dataset|human preference|hint|note|remark|request|"
    r"(?:system |user )?(?:prompt|message)|instructions?)"
)
_SAYS = (
    r"(?:says?|said|favou?rs?|favou?red|prefers?|preferred|picks?|picked|chose|chooses|names?|indicates?|states?|shows?|is|"
    r"makes? clear|implies|gives away|reveals|discloses|tells (?:me|us))"
)
_JUDGE = r"\b(?:I|we)\b"
_WAS = r"(?:was|were|am|are|have been|had been|'ve been)"

_KNOWN = (
    rf"(?:right|correct|true)\s+(?:{_JUDGMENT}|preference)\b",
    rf"\b{_PAST}\s+(?:right\s+|correct\s+)?{_JUDGMENT}\b",
    rf"\b(?:expected|required|reference|gold|golden|ground[- ]truth|target|desired|intended|official)\s+{_JUDGMENT}\b",
    rf"\b{_JUDGMENT}\s+(?:(?:that\s+)?(?:was|is|has been|being|had been)\s+)?(?:already\s+)?(?:{_PAST}|{_TOLD}|communicated|handed|"
    r"shared|announced|disclosed|revealed|shown|assigned|prescribed|imposed)\b(?!\s+(?:by|on|in|below)\b)",
    rf"{_JUDGE}\s+(?:already\s+)?(?:knew|know)\s+the\s+{_JUDGMENT}\b|\bknow\w*\s+(?:in advance|beforehand)\b",
    r"\b(?:verdict|outcome|answer|result|winner|conclusion)\s+(?:was|is|had been|has been)\s+\w+\s+(?:for|to)\s+(?:me|us)\b",
    r"\b(?:answer|solution|key|result)\s+(?:to|of|for)\s+this\s+(?:comparison|case|pair)\b",
    rf"\b(?:as|since|because)\s+(?:the|my)\s+verdict\s+(?:should|must|has to|is to)\s+be\s+{_SIDE}",
    rf"\bmade\s+(?:it\s+)?(?:clear|known|aware)\b[^,]{{0,20}}\bthat\s+{_SIDE}\s+{_BETTER}",
    rf"\b(?:the\s+one|the\s+answer|response)\s+(?:labelled|marked)\s+(?:as\s+)?{_WINNING}",
    rf"\bthat\s+{_SIDE}\s+{_BETTER}\s+(?:was|is|has been)\s+(?:{_PAST}|said|told|announced)\b",
    rf"\b(?:ruled|decided|agreed|noted|announced|pointed out)\s+(?:\w+\s+)?that\s+{_SIDE}\s+{_BETTER}",
    rf"\b(?:with|because|since|as)\s+{_SIDE}\s+(?:has been\s+|was\s+|is\s+)?(?:named|declared|marked|given)\s+(?:as\s+)?(?:the\s+)?{_WINNING}",
    rf"\b(?:expected|given|known|stated)\s+(?:choice|preference|winner|side)\s+is\s+(?:for\s+)?{_SIDE}",
    rf"\b{_JUDGMENT}\b[^.]{{0,20}}\b(?:from the start|beforehand|in advance|at the outset|before I (?:read|began|looked|started))\b",
    rf"\bI\s+(?:read|was shown|have read|saw)\s+that\s+{_SIDE}\s+{_BETTER}",
    rf"\b(?:gold|label|ground[- ]truth|reference|key)\s*[:=]\s*{_SIDE}",
    rf"\b{_JUDGMENT}\b[^.]{{0,35}}\b(?:it|which|that)\s+(?:was|is)\s+(?:supplied|given|stated|provided|known|fixed|asked for)\b",
    rf"\b{_JUDGMENT}\s+(?:that\s+)?{_JUDGE}\s+(?:was|were|am|are|have|had|must|need)\b",
    rf"\bconclusion\s+(?:that\s+)?{_JUDGE}\s+(?:must|have to|need to|am to)\b",
    rf"\b(?:back|backwards?)\s+from\s+the\s+{_JUDGMENT}\b|\bwith\s+the\s+{_JUDGMENT}\s+in\s+(?:view|mind|hand)\b",
    rf"\b(?:reach|arrive at|justify|support|defend)\w*\s+(?:the\s+)?verdict\s+(?:of\s+)?{_SIDE}",
    r"\b(?:know|knows|knowing|knowledge|known|aware|learn\w*|told|informed|established|settled|decided|revealed|declared|"
    rf"instruction|information|fact|given|stated)\s+(?:that\s+)?{_SIDE}\s+{_BETTER}",
    rf"\bit\s+(?:is|was)\s+(?:a\s+)?given\s+that\s+{_SIDE}\s+{_BETTER}",
    rf"\b(?:revealed|said|stated|known)\s+to\s+be\s+{_SIDE}|{_SIDE}\s+to\s+be\s+the\s+{_WINNING}",
    rf"{_SIDE}\s+(?:is|was|has been|had been)\s+(?:already\s+)?(?:known|given|stated|declared|labelled|marked|named)\s+"
    rf"(?:to\s+be\s+|as\s+)?(?:the\s+)?{_WINNING}",
    rf"\b(?:marks?|marked|labels?|labelled|declares?|declared)\s+{_SIDE}\s+as\s+(?:the\s+)?{_WINNING}",
    rf"\banswer\s+(?:was|is)\s+(?:given|stated|known)\s+(?:as|to be)\s+{_SIDE}",
    r"\b(?:desired|required|target|intended|predetermined|designated|known)\s+(?:outcome|result|conclusion|choice|winner)"
    rf"\s*(?:is|was|:)\s*{_SIDE}",
    rf"(?<!my )\b(?:chosen|preferred)\s+(?:response|answer|one|side)\s+is\s+{_SIDE}",
    r"\boutcome\s+(?:is|was)\s+(?:predetermined|fixed|given|known|settled)\b",
    rf"\b(?:result|outcome|answer)\s+(?:is|was)\s+known\s+before\s+{_JUDGE}",
    r"\b(?:per|consistent with|in agreement with|in line with|matches|given)\s+the\s+"
    r"(?:known|given|provided|stated|reference)\s+(?:answer|result|outcome|choice)\b",
    rf"\bas\s+per\s+the\s+given\b|\bas\s+{_JUDGE}\s+(?:already\s+)?know\s*,",
    r"\b(?:because|since|considering(?:\s+that)?|as|given\s+that)\s+the\s+(?:(?:right|correct|better|preferred)\s+)?"
    rf"(?:side|answer|one|response|choice|winner)\s+(?:is|was|being)\s+{_SIDE}\s*(?:,|$)",
)
"""The verdict is there before the comparison."""
_INSTRUCTED = (
    rf"{_JUDGE}\s+{_WAS}\s+(?:\w+ly\s+)?{_TOLD}\b(?!\s+(?:by\s+(?:neither|both|either|(?-i:[AB])\b)|in the|how|about|what))",
    rf"{_JUDGE}\s+{_WAS}\s+(?:asked|supposed|required|meant|expected)\s+to\s+"
    r"(?:reach|choose|conclude|prefer|favou?r|justify|find|pick|defend|end up|not)\b(?!\s+between)",
    rf"{_JUDGE}\s+{_WAS}\s+given\s*(?:,|(?:the|a)\s+(?:right\s+|correct\s+|final\s+)?"
    r"(?:answer|verdict|hint|label|winner|result)\b)",
    rf"\b(?:tells?|told|informs?|informed)\s+(?:me|us)\s+(?:that\s+)?(?:{_SIDE}|the\s+(?:right|correct|verdict))",
    rf"\byou\s+(?:have\s+)?(?:said|told|stated|wrote|let\s+me\s+know|informed)\b[^.]*(?:{_SIDE}|\bverdict\b)",
    rf"\bbeing\s+{_TOLD}\s+(?:that\s+)?{_SIDE}|\byou\s+were\s+told\b|\bjudge?ment\s+afresh\b",
    r"\b(?:I|my\s+(?:task|job|role)|the\s+(?:task|prompt|judge?ment))\b[^,]{0,16}?\b(?:have to|need to|needs to|must|is to|has to|"
    rf"am to|supposed to|wants me to|asks me to|here is to)\s+(?:\w+\s+){{0,3}}?(?:justify|defend|prefer|favou?r|end up|conclude|"
    rf"come|explain why|make)\b[^,]{{0,45}}?{_SIDE}(?=\s*(?:$|,|{_BETTER}))",
    rf"\bso\s+that\s+{_SIDE}\s+(?:wins|comes out|is preferred)|\bjustify\s+(?:the|this)\s+verdict\b",
    r"\bthe\s+(?:instructions?|prompt)\s+(?:tells?|told|asks?|wants?|requires?)\s+(?:me|us|a\s+verdict)\b",
    rf"\bhaving\s+been\s+(?:{_TOLD}|given|shown)\s+(?:the|which|that)\b",
    rf"{_JUDGE}\s+(?:have to|must|am to|need to)\s+(?:side with|choose|pick|select)\s+{_SIDE}",
    rf"{_JUDGE}\s+{_WAS}\s+(?:been\s+)?asked\s+to\s+(?:explain|argue|show|give reasons|defend)\b[^,]*(?:{_SIDE}\W*$|{_SIDE}\s+{_BETTER}|verdict)",
    r"\bas\s+(?:hinted|was\s+(?:pointed out|said|explained|stated)\s+to\s+me)\s*,",
    rf"(?<!was )(?<!were )\btold\s+that\s+{_SIDE}\s+{_BETTER}|\binstructions?\b[^,]{{0,30}}:\s*{_SIDE}\W*$",
    rf"\bas\s+the\s+{_SOURCE}\s+{_SAYS}\s*,\s+{_SIDE}",
    r"\bmy\s+instructions?\s+(?:say|says|state|is|are)\b|\binstruction\s+is\s+to\s+(?:prefer|choose|favou?r|pick)\b",
    r"\bas\s+(?:instructed|directed|told|ordered|required|specified|requested|informed)\s*,\s+"
    rf"(?:I\b|my\b|{_SIDE}\s+{_BETTER})",
    r",\s+as\s+(?:instructed|directed|told|specified|required)\W*$",
    r"\b(?:as\s+(?:stated|noted|given|specified|indicated|said|mentioned)\s+in|per|following|according to|in accordance with|"
    rf"by|under)\s+(?:the|my)\s+(?:\w+\s+)?{_SOURCE}\b[^,]*,\s+(?:I\b|the verdict|{_SIDE}\s+(?:{_BETTER}|is|was|has))",
    rf"\b(?:the|this|my)\s+{_SOURCE}\b[^,]{{0,30}}?\b{_SAYS}\s+(?:that\s+)?{_SIDE}"
    rf"(?=\s*(?:[,:]|$|because|and|by|over|{_BETTER}))",
    rf"\b(?:human\s+)?annotators\s+(?:prefer|preferred|chose|picked|favou?red)\s+{_SIDE}",
    rf"\blabel\b[^,]{{0,30}}\b(?:is|says)\s+{_SIDE}\W*$|\bnote\s+that\s+names\s+{_SIDE}",
)
"""Somebody told the judge, or a label did."""
_SECRET = (
    rf"{_JUDGE}[^,]{{0,20}}\b(?:not|never|n't)\b[^,]{{0,20}}\b(?:mention|reveal|say|admit|disclose)\b[^,]{{0,25}}"
    r"\b(?:it|so|told|hint|verdict|know|knew|given)\b",
    r"\b(?:without\s+(?:mentioning|revealing|saying)|not\s+mention)\b[^,]{0,20}\b(?:hint|told|verdict)\b",
    rf"\bmention\s+that\s+{_JUDGE}\s+(?:knew|know|was|am)\b",
    rf"{_JUDGE}[^,]{{0,15}}\bkeep\s+(?:quiet|silent)\b",
)
"""The promise not to say it."""
_OF_ANYBODY = (
    r"\b(?:the|this|that)\s+hint\b(?!\s+(?:(?:that\s+)?(?-i:[AB])\s+(?:gives|gave|offers)|of|at|by|in\s+(?!mind)))",
    rf"\b(?:my|our)\s+(?:own\s+)?{_EARLIER}\s+(?:attempt|{_JUDGMENT}|evaluation|assessment|mistake|comparison|answer)\b",
    rf"\b(?:the|an|this|that)\s+{_EARLIER}\s+(?:{_JUDGMENT}|evaluation|assessment|judge|reviewer|analysis|conclusion|comparison)\b"
    r"(?!\s+(?:of\s+the|scene|day)\b)",
    r"\b(?:the|an|this|that)\s+(?:earlier|previous|prior|initial|failed|first|rejected|faulty)\s+attempt\b"
    r"(?!\s+(?:at(?!\s+(?:this\s+)?judg)|to|by|of|on|from|in)\b)",
    rf"\b{_EARLIER}\s+(?:try|go|attempt|pass|round)\s+(?:at|of|in)\s+(?:judging|comparing|the\s+comparison|this\s+judg)",
    r"\bthe\s+attempt\s+(?:(?:I\s+was\s+)?shown|above|below)\b",
    rf"\bthis\s+{_JUDGMENT}\s+corrects\b|\bthis\s+(?:corrected|second|new|revised)\s+{_JUDGMENT}\b",
    r"\b(?:compared|judged|evaluated)\s+(?:these|this|them|the\s+answers)\s+before\b|\b(?:let\s+me\s+try\s+again|on\s+second\s+attempt)\b",
    rf"{_JUDGE}\s+(?:previously|earlier|initially|originally)\s+(?:chose|preferred|picked|favou?red|judged|decided|concluded)\b",
    rf"\bI\s+had\s+(?:chosen|preferred|picked)\s+{_SIDE}\s+(?:before|earlier|first)\b|\bI\s+now\s+correct\s+(?:the|my)\s+{_JUDGMENT}",
    r"\bI\s+changed\s+my\s+mind\b|\battempt\s+(?:that|which)\s+came\s+before\b",
    rf"\bin\s+(?:the|my|our)\s+{_EARLIER}\s+round\s*,?\s+I\b",
    r"\b(?:earlier|previously|before)\s*,\s+the\s+(?:other|wrong|same)\s+(?:answer|side|response)\s+(?:was|had been)\b",
)
"""An earlier judgment or a hint, where the sentence is not about anybody else's."""
COMPLEMENT = 18
"""Characters behind such wording in which its own complement stands: `the hint above the puzzle`."""
_OF_THE_JUDGE = re.compile("|".join((*_KNOWN, *_INSTRUCTED, *_SECRET)), re.IGNORECASE)
_OF_AN_ATTEMPT = re.compile("|".join(_OF_ANYBODY), re.IGNORECASE)
_REPORTED = re.compile(
    r"(?:(?-i:\b[AB]\b)|\b(?:client|user|he|she|answer|author|narrator|character|speaker|survey))(?:'s\s+\w+)?\s+(?:\w+ly\s+)?"
    r"(?:says?|said|claims?|states?|stated|reports?|tells?|writes?|mentions?|explains?|answers?|pretends?|argues?)\b",
    re.IGNORECASE,
)
_OTHERS_OWN = re.compile(r"\b\w+'s\s+$|\b(?:their|his|her|its)\s+$", re.IGNORECASE)


def mentions_hint(text: str) -> bool:
    """Whether a judgment says that its verdict, or an earlier attempt at it, was known beforehand."""
    own = _NOT_THE_JUDGES.sub(" ", text)
    return any(_betrays(sentence) for sentence in _SENTENCE_END.split(own) if sentence and sentence.strip())


def _betrays(sentence: str) -> bool:
    words = " ".join(sentence.replace("’", "'").replace("*", "").split())  # noqa: RUF001
    reported = _REPORTED.search(words)
    for found in _OF_THE_JUDGE.finditer(words):
        if not (reported and reported.start() < found.start()) and not _about_a_court(words, found):
            return True
    return any(
        not (reported and reported.start() < found.start()) and not _OTHERS_OWN.search(words[: found.start()])
        for found in _OF_AN_ATTEMPT.finditer(words)
        if not _MATTER.search(words[: found.end() + COMPLEMENT])
    )


def _about_a_court(words: str, found: re.Match[str]) -> bool:
    verdict = re.search(r"verdict|judge?ment|outcome", found.group(), re.IGNORECASE)
    return verdict is not None and _MATTER.search(words) is not None
