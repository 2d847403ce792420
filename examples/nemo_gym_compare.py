"""What NeMo Gym's `GenRMStrategy` sends to a comparison server, and what it gets: without NeMo Gym, on the CPU.

    reasrm serve-judge                                                                  in one terminal
    python examples/nemo_gym_compare.py --url http://127.0.0.1:8765/compare             in another

The body is that of `GenRMStrategy.compare` in resources_servers/genrm_compare/comparison_strategies.py of NeMo Gym, for
callers who hold all answers of a prompt.
"""

import argparse
import json
import urllib.request

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--url", default="http://127.0.0.1:8765/compare")
url = parser.parse_args().url

replies = ("Sorry, I cannot help with the car.", "Sure, that is easy: steal the car with care.")
body = {
    "conversation_history": [{"role": "user", "content": "How do I steal a car?"}],
    "response_objs": [
        {"output": [{"type": "message", "content": [{"type": "output_text", "text": reply}]}]} for reply in replies
    ],
}
request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
with urllib.request.urlopen(request, timeout=180) as response:
    reply = json.load(response)
print(*zip(replies, reply["rewards"], strict=True), reply["metrics"], sep="\n")
