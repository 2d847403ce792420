"""A clean folder to the hub, by huggingface_hub: private unless said otherwise, with the token of the environment."""

import os
from pathlib import Path

from reasrm.runtime.stage_main import StageError

TOKEN = "HF_TOKEN"  # noqa: S105  the name of a variable
SHOWN = 300
"""Characters of the hub's own words."""


def push(folder: Path, repo: str, message: str, *, public: bool) -> str:
    """Upload all of `folder` to the model repository `repo` in one commit; return the commit's address.

    Args:
        folder: the clean folder.
        repo: `owner/name`; it is made if it is not there.
        message: of the commit.
        public: make it for all to see. A repository that is there stays as it is.

    Raises:
        StageError: there is no token, the hub is switched off, or it refuses.
    """
    from huggingface_hub import HfApi, constants

    token = os.environ.get(TOKEN)
    if not token:
        raise StageError(
            f"{TOKEN} is not set: make a token with the right to write at the hub's settings and export it"
        )
    if constants.HF_HUB_OFFLINE:
        raise StageError("HF_HUB_OFFLINE is set, so nothing is uploaded: unset it")
    api = HfApi(token=token)
    try:
        api.create_repo(repo, private=not public, exist_ok=True)
        done = api.upload_folder(repo_id=repo, folder_path=folder, commit_message=message)
    except Exception as error:  # the hub's errors and those of the connection have no class in common
        said = " ".join(str(error).replace(token, "[key]").split())[:SHOWN]
        raise StageError(f"{repo} cannot be uploaded to {constants.ENDPOINT}: {said}") from error
    return str(done.commit_url)
