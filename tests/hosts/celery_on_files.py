"""
The Celery example with a broker that is a folder, so that it needs no server.

`celery -A tests.hosts.celery_on_files worker` runs it. A worker says in which process each task runs, and its
timer tries effects at once that the command of a killed process was sending.
"""

import os
from datetime import timedelta
from pathlib import Path

from celery.signals import task_prerun

import celery_returns
from rma import Timing

app = celery_returns.app


def use(folder: Path) -> None:
    """Makes this folder the broker."""
    more = {"control_folder": str(folder / "control"), "polling_interval": 0.1}  # seconds
    app.conf.update(
        broker_url="filesystem://",
        broker_transport_options={"data_folder_in": str(folder), "data_folder_out": str(folder), **more},
    )


if "BROKER_FOLDER" in os.environ:
    use(Path(os.environ["BROKER_FOLDER"]))
    celery_returns.TIMING = Timing(grace=timedelta.resolution)

    @task_prerun.connect
    def say_where(task_id: str, **_: object) -> None:
        """Prints the process."""
        print(f"{task_id} runs in process {os.getpid()}", flush=True)  # noqa: T201 # the test waits for it
