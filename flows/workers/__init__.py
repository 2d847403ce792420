"""One run on several machines: each stage goes to a worker of the Prefect work pool that `meta.limit` names."""
