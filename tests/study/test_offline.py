"""No connection is ever tried: a study is scored and compared where every socket to the outside raises."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "sample_data"

BLOCK = """
import os, socket
def refuse(*args, **more):
    open(os.environ["TRIED"], "a").write("tried\\n")
    raise OSError("no network here")
socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = refuse
socket.getaddrinfo = socket.create_connection = refuse
open(os.environ["BLOCKED"], "a").write("blocked\\n")
"""


def test_a_study_is_scored_with_all_sockets_blocked(tmp_path: Path) -> None:
    shutil.copytree(SAMPLE / "patient-1" / "visit-1", tmp_path / "study" / "visit-1")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(BLOCK, encoding="utf-8")
    tried, blocked = tmp_path / "tried", tmp_path / "blocked"
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "TRIED": str(tried), "BLOCKED": str(blocked)}
    command = ["-m", "mri_sij.cli", "run", str(tmp_path / "study"), "-o", str(tmp_path / "out"), "--jobs", "2"]
    done = subprocess.run([sys.executable, *command], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out" / "status.csv").open(encoding="utf-8", newline="") as file:
        assert [row["status"] for row in csv.DictReader(file) if row["kind"] == "visit"] == ["done"]
    assert len(blocked.read_text().splitlines()) >= 2  # the command and at least one worker
    assert not tried.exists()
