"""Machines divided among workers."""

from __future__ import annotations

from src.processing.cluster.planning import Share, plan


def test_without_a_gpu_a_worker_gets_a_few_cores() -> None:
    assert plan([{"CPU": 10.0, "memory": 1e9}, {"CPU": 1.0}, {}]) == {
        Share(4): 2,
        Share(2): 1,
        Share(1): 1,
    }


def test_where_there_are_gpus_each_has_a_worker_and_the_cores_none() -> None:
    assert plan([{"CPU": 16.0, "GPU": 2.0}, {"CPU": 64.0}, {"CPU": 2.0, "GPU": 4.0}]) == {
        Share(4, 1): 2,
        Share(0, 1): 4,
    }


def test_one_more_is_asked_of_a_worker_than_it_does_at_once() -> None:
    for share in (Share(1), Share(4), Share(0, 1)):
        for cuts_nothing in (False, True):
            assert share.depth(cuts_nothing) == share.threads(cuts_nothing) + 1
            assert share.threads(cuts_nothing) >= 2
