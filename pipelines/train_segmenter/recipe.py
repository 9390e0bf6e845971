"""The whole recipe of the shipped network in one command: `python recipe.py WORK [--minutes 90] [--people 400]
[--simulators 1]`.

Simulates people while it trains on those that are ready, stores the network in whole numbers, then holds it against
unseen simulated patients. Needs PyTorch and onnx (see requirements.txt) beside mri_sij; runs on a CPU or a GPU.
WORK/mri_sij.onnx is what ships as mri_sij/network/mri_sij.onnx.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    """Simulate, train, quantize, evaluate."""
    ask = argparse.ArgumentParser()
    ask.add_argument("work", type=Path)
    ask.add_argument("--minutes", type=float, default=90)
    ask.add_argument("--people", type=int, default=400)
    ask.add_argument("--simulators", type=int, default=1)
    told = ask.parse_args()
    scans, network = told.work / "scans", told.work / "network"
    share = -(-told.people // told.simulators)
    running = [
        subprocess.Popen([sys.executable, str(HERE / "simulate.py"), str(scans), str(1 + n * share), str(share)])
        for n in range(told.simulators)
    ]
    try:
        while len(list(scans.glob("*.npz"))) < 60:
            if all(p.poll() is not None for p in running):
                sys.exit("The simulation ended before there were 60 scans to begin with.")
            time.sleep(5)
        subprocess.run(
            [sys.executable, str(HERE / "train.py"), str(scans), str(network), str(told.minutes)], check=True
        )
    finally:
        for process in running:
            process.terminate()
    shipped = str(told.work / "mri_sij.onnx")
    subprocess.run(
        [sys.executable, str(HERE / "quantize.py"), str(scans), str(network / "mri_sij.onnx"), shipped], check=True
    )
    subprocess.run([sys.executable, str(HERE / "evaluate.py"), "--model", shipped], check=True)


if __name__ == "__main__":
    main()
