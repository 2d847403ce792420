"""When stages run: the DAG of dvc.yaml as a Prefect flow, and the command `reasrm`."""
