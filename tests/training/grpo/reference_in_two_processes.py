"""Run by each of two processes: a reference of which one process read the weights has them all, by fully_shard on CPUs.

The environment is that of `accelerate launch` with reasrm/training/launch_configs/fsdp2.yaml. accelerate's own class
has fully_shard on GPUs alone, so its accelerator is stood in for by what is read of it.
"""

import os
import sys
from types import SimpleNamespace

import torch
from torch import distributed
from torch.distributed.fsdp import FSDPModule


def main() -> None:
    """Prepare the reference as TRL does and as here, and hold its gathered weights against the file's."""
    os.environ.update(
        ACCELERATE_USE_FSDP="true", FSDP_VERSION="2", FSDP_CPU_RAM_EFFICIENT_LOADING="true",
        FSDP_AUTO_WRAP_POLICY="TRANSFORMER_BASED_WRAP",
    )  # fmt: skip
    distributed.init_process_group("gloo")
    from accelerate import FullyShardedDataParallelPlugin
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM
    from trl.models import prepare_fsdp
    from trl.trainer.utils import add_fused_lm_head

    from reasrm.training.grpo.sharded_reference import prepare_reference

    rank = distributed.get_rank()
    plugin = FullyShardedDataParallelPlugin(fsdp_version=2, reshard_after_forward=True, cpu_ram_efficient_loading=True)
    accelerator = SimpleNamespace(
        state=SimpleNamespace(fsdp_plugin=plugin), mixed_precision="bf16", device=torch.device("cpu"),
        is_main_process=rank == 0, torch_device_mesh=None,
    )  # fmt: skip
    stored = load_file(f"{sys.argv[1]}/model.safetensors")
    whole = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
    whole.load_state_dict(stored, strict=False)
    ids = torch.arange(10)[None]
    expected = whole(ids).logits.log_softmax(-1)[0, :-1].gather(1, ids[0, 1:, None])[:, 0]

    def prepared(by: str) -> tuple[float, int, float]:
        model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
        add_fused_lm_head(model)  # as TRL does before; it reads the output layer's weight without calling the layer
        model = {"accelerate": prepare_reference, "trl": prepare_fsdp}[by](model, accelerator)
        apart = max((at.full_tensor() - stored[name]).abs().max().item() for name, at in model.named_parameters())
        pieces = sum(isinstance(module, FSDPModule) for module in model.modules())
        with torch.no_grad():
            scored = [model(input_ids=ids, labels=ids, fused_lm_head=True).log_probs for _ in range(2)]
        return apart, pieces, max((one[0, -9:] - expected).abs().max().item() for one in scored)

    apart, pieces, off = prepared("accelerate")
    assert apart == 0.0, apart
    assert pieces > 4, pieces
    assert off < 1e-4, off
    apart, pieces, _ = prepared("trl")
    assert apart > 0.1, "TRL sends the weights by now: sharded_reference is not needed any more"
    assert pieces == 1
    print("whole", flush=True)


if __name__ == "__main__":
    main()
