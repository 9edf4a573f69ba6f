"""When a graph is captured, and when its kernels are launched one by one; what a real one computes is claimed in test_cuda.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from acetate.engine.acceleration import cuda_graphs
from acetate.engine.acceleration.cuda_graphs import Captured, GraphLaunch
from acetate.engine.acceleration.unchanged import Unchanged


class Graph:
    """In place of a captured one."""

    made: list[Graph] = []
    refuses = False

    def __init__(self, function: Callable[..., str], inputs: Sequence[Any]) -> None:
        if Graph.refuses:
            raise RuntimeError("operation not permitted when stream is capturing\nmore")
        self._function = function
        Graph.made.append(self)

    def __call__(self, *inputs: Any) -> str:
        return f"{self._function(*inputs)} by graph {Graph.made.index(self)}"


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> type[Graph]:
    monkeypatch.setattr(cuda_graphs, "Captured", Graph)
    monkeypatch.setattr(Graph, "made", [])
    monkeypatch.setattr(Graph, "refuses", False)
    return Graph


def on_card(place: int = 0) -> Any:
    return SimpleNamespace(is_cuda=True, data_ptr=lambda: place)


def called(*inputs: Any) -> Any:
    return "called"


def test_elsewhere_than_on_a_card_a_function_is_called_each_time(graphs: type[Graph]) -> None:
    launch = GraphLaunch()
    assert [launch.run(called, [torch.ones(1)], []) for _ in range(2)] == ["called"] * 2
    assert not graphs.made


def test_a_graph_is_captured_once_and_again_when_a_weight_lies_elsewhere(graphs: type[Graph]) -> None:
    launch = GraphLaunch()
    places = [(1, 2), (1, 2), (1, 3), (1, 3), (1, 2)]
    found = [launch.run(called, [on_card()], map(on_card, weights)) for weights in places]
    assert [text[-1] for text in found] == ["0", "0", "1", "1", "2"], "the places of before are another graph's again"


def test_what_cannot_be_captured_is_called_and_not_tried_again(graphs: type[Graph], monkeypatch: pytest.MonkeyPatch) -> None:
    launch = GraphLaunch()
    monkeypatch.setattr(graphs, "refuses", True)
    assert launch.run(called, [on_card()], [on_card(1)]) == "called"
    monkeypatch.setattr(graphs, "refuses", False)
    assert launch.run(called, [on_card()], [on_card(2)]) == "called"


def test_a_replay_takes_over_what_has_changed_and_hands_out_a_copy() -> None:
    """A graph that adds its inputs, without a card."""
    same, other = torch.ones(2), torch.ones(2)
    captured = Captured.__new__(Captured)
    captured._inputs = [same.clone(), other.clone()]
    captured._given = [Unchanged(same), Unchanged(other)]
    captured._result = torch.zeros(2)
    captured._graph = SimpleNamespace(replay=lambda: torch.add(*captured._inputs, out=captured._result))  # type: ignore[assignment]
    first = captured(same, other)
    captured._inputs[0].fill_(5)  # nobody else does; it shows that an input which is the same is not copied again
    other.add_(1)
    second = captured(same, other)
    third = captured(torch.full((2,), 9.0), other)
    fourth = captured(same, other)
    found = [tensor.tolist() for tensor in (first, second, third, fourth)]
    assert found == [[2.0, 2.0], [7.0, 7.0], [11.0, 11.0], [3.0, 3.0]]
