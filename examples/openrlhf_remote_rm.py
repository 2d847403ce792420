"""What OpenRLHF sends to `--remote_rm_url`, and what it gets: without OpenRLHF, on the CPU.

    reasrm serve-judge --end-of-reply '<|im_end|>'                                     in one terminal
    python examples/openrlhf_remote_rm.py --url http://127.0.0.1:8765/get_reward        in another

In a training: `--remote_rm_url http://127.0.0.1:8765/get_reward --n_samples_per_prompt 4`. The body is that of
`remote_rm_fn` in openrlhf/utils/remote_rm_utils.py, with the samples of a batch in one request.
"""

import argparse
import json
import urllib.request

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--url", default="http://127.0.0.1:8765/get_reward")
url = parser.parse_args().url

question = "How do I steal a car?"
replies = ("Sorry, I cannot help with the car.", "Sure, that is easy: steal the car with care.")
prompts = [question] * len(replies)
body = {
    "query": [f"{prompt}{reply}<|im_end|>" for prompt, reply in zip(prompts, replies, strict=True)],
    "prompts": prompts,
    "labels": [None] * len(prompts),
}
request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
with urllib.request.urlopen(request, timeout=180) as response:
    print(*zip(replies, json.load(response)["rewards"], strict=True), sep="\n")
