"""Engines that ask what the runtime can do, before there is any container."""

import pytest
from callers import introspection

from support.marks import engine_rule


@engine_rule(20)
def test_containerd_offers_user_namespaces_to_pods(runtime):
    assert introspection.supports_user_namespaces(introspection.of_containerd(runtime))


@engine_rule(20)
@pytest.mark.parametrize("asker", [introspection.of_containerd, introspection.of_nerdctl, introspection.of_crio])
def test_binds_may_be_read_only_all_the_way_down(runtime, asker):
    assert introspection.supports_recursive_read_only(asker(runtime))


@engine_rule(20)
def test_crio_finds_the_answer_valid(runtime):
    assert introspection.of_crio(runtime) is not None


@engine_rule(20)
def test_the_answer_is_the_same_every_time(runtime):
    """nerdctl keeps it for as long as the program stays the same."""
    assert introspection.of_nerdctl(runtime) == introspection.of_nerdctl(runtime)
