"""Several containers at once, as an orchestrator has them."""

from support.marks import engine_rule


@engine_rule(31)
def test_a_pod_shares_namespaces_of_its_first_container(make_container, make_bundle):
    sandbox, application = make_container(make_bundle(), "sandbox"), make_container(make_bundle(), "application")
    sandbox.bundle.linux["cgroupsPath"] = "/pod/sandbox"
    sandbox.bundle.sleeper()
    sandbox.launch()
    for kind, link in (("network", "net"), ("ipc", "ipc"), ("uts", "uts")):
        application.bundle.namespace(kind, f"/proc/{sandbox.pid}/ns/{link}")
    del application.bundle.config["hostname"]
    application.bundle.linux["cgroupsPath"] = "/pod/application"

    assert application.output("hostname") == "capsule\n"
    assert sandbox.status == "running"


def test_a_dozen_containers_at_once_live_and_die(make_container, make_bundle, runtime, root):
    containers = [make_container(make_bundle()) for _ in range(12)]
    for container in containers:
        container.bundle.save()

    runners = [
        container.spawn_with(["run", "--bundle", container.bundle.path, container.id]) for container in containers
    ]

    assert [runner.wait(60) for runner in runners] == [0] * len(containers)
    assert runtime.call("list", "-q", root=root).succeeded().out == ""
