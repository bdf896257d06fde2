"""
The Celery example with a broker that is a folder, so that it needs no server.

`celery -A tests.hosts.celery_on_files worker` runs it. A worker says in which process each task runs, and its
timer tries effects at once that the command of a killed process was sending.
"""

import json
import os
from datetime import timedelta
from pathlib import Path
from time import monotonic_ns
from typing import Any
from uuid import uuid4

from celery.signals import task_prerun
from kombu.transport import TRANSPORT_ALIASES
from kombu.transport.filesystem import Channel, Transport

import celery_returns
from rma import Timing

app = celery_returns.app


class WholeFiles(Channel):
    """A folder in which no reader sees a message that is being written, as it does in kombu's own."""

    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:  # type: ignore[override] # as its base
        """Writes the message under another name first; names sort by time."""
        name = f"{monotonic_ns():020}_{uuid4()}.{queue}.msg"
        folder = Path(self.data_folder_out)
        hidden = folder / f"{name}.part"
        hidden.write_text(json.dumps(payload), "utf-8")
        hidden.rename(folder / name)


class Folder(Transport):
    """The transport of such a folder."""

    Channel = WholeFiles


TRANSPORT_ALIASES["folder"] = "tests.hosts.celery_on_files:Folder"


def use(folder: Path) -> None:
    """Makes this folder the broker."""
    names = {
        "data_folder_in": "waiting",
        "data_folder_out": "waiting",
        "processed_folder": "taken",
        "control_folder": "control",
    }
    for name in set(names.values()):
        (folder / name).mkdir(exist_ok=True)
    app.conf.update(
        broker_url="folder://",
        broker_transport_options={
            **{option: str(folder / name) for option, name in names.items()},
            "store_processed": True,  # else they are moved through a folder that all programs share
            "polling_interval": 0.1,  # seconds
        },
    )


if "BROKER_FOLDER" in os.environ:
    use(Path(os.environ["BROKER_FOLDER"]))
    celery_returns.TIMING = Timing(grace=timedelta.resolution)

    @task_prerun.connect
    def say_where(task_id: str, **_: object) -> None:
        """Prints the process."""
        print(f"{task_id} runs in process {os.getpid()}", flush=True)  # noqa: T201 # the test waits for it
