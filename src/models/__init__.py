"""CLIP and SAM."""

import os
import sys

from src.models.left_out import COMPILER, LeftOut

# Threads that wait for each other by spinning starve whatever else runs: beside one busy program
# on 2 cores three photos took 53 s to take in, and 9 s with threads that sleep. libgomp reads
# this when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# open_clip would fetch what some of its models name; nothing is fetched but what a person asks
# for. Its hub library reads this when it is first imported.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

if "torch._dynamo" not in sys.modules:
    sys.meta_path.insert(0, LeftOut(COMPILER))
