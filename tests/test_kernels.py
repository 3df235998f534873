"""A kernel that is forked is a kernel as any other, except that it starts sooner."""

import os
import subprocess
import sys

import pytest
from jupyter_client.manager import start_new_kernel
from jupyter_client.provisioning import KernelProvisionerFactory

from tools import kernels

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere kernels start as ever")


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """Return a manager and a client of a kernel that was forked in a folder."""
    factory = KernelProvisionerFactory.instance()
    monkeypatch.setattr(factory, "default_provisioner_name", factory.default_provisioner_name)
    kernels.fork_kernels()
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(tmp_path), env={**os.environ, "COLOUR": "red"})
    assert isinstance(manager.provisioner, kernels.ForkProvisioner)
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def said(client, code):
    """Run a cell and return what it shows: (kind, text) of each output."""
    shown = []

    def note(message):
        content = message["content"]
        if message["msg_type"] == "stream":
            shown.append(("text", content["text"]))
        elif message["msg_type"] == "error":
            shown.append(("error", content["ename"]))
        elif "data" in content:
            shown.extend((kind, data) for kind, data in content["data"].items() if kind != "text/plain")

    client.execute_interactive(code, timeout=60, output_hook=note)
    return shown


def test_it_sees_what_a_kernel_of_its_own_sees(kernel, tmp_path):
    _, client = kernel
    (tmp_path / "beside.py").write_text("x = 1")
    assert said(client, "import os; print(os.getcwd(), os.environ['COLOUR'], 'PYTEST_VERSION' in os.environ)") == [
        ("text", f"{tmp_path} red True\n")
    ]
    assert said(client, "import beside; print(beside.x, __name__)") == [("text", "1 __main__\n")]
    code = "import sys; print([folder for folder in sys.path if folder])"
    path = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert said(client, code) == [("text", path.stdout)]
    assert said(client, "print('numpy' in sys.modules, 'nnlib' in sys.modules)") == [("text", "True False\n")]


def test_its_processes_find_the_modules_beside_the_page(kernel, tmp_path):
    _, client = kernel
    (tmp_path / "beside.py").write_text("def double(x): return 2 * x")
    code = "import beside, joblib; print(joblib.Parallel(2)(joblib.delayed(beside.double)(i) for i in (1, 2)))"
    assert said(client, code) == [("text", "[2, 4]\n")]


def test_it_shows_figures(kernel):
    _, client = kernel
    shown = said(client, "import matplotlib.pyplot as plt; plt.plot([1, 2]);")
    assert [kind for kind, _ in shown] == ["image/png"]


def test_it_can_be_interrupted_and_ends(kernel):
    manager, client = kernel
    pid = manager.provisioner.pid
    assert os.getpgid(pid) == pid, "a signal to it must not reach the others"
    message = client.execute("import time; print('on', flush=True); time.sleep(60)")
    while client.get_iopub_msg(timeout=30)["msg_type"] != "stream":
        pass
    manager.interrupt_kernel()
    while (reply := client.get_shell_msg(timeout=30))["parent_header"]["msg_id"] != message:
        pass
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    manager.shutdown_kernel(now=True)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_one_that_dies_is_known_to_be_dead(kernel):
    manager, client = kernel
    client.execute("import os; os._exit(3)")
    manager.provisioner.process._process.join(30)
    assert not manager.is_alive()


def test_another_program_starts_as_ever(tmp_path, monkeypatch):
    started = []

    async def start(self, cmd, **kwargs):
        started.append(cmd)

    monkeypatch.setattr(kernels.LocalProvisioner, "launch_kernel", start)
    provisioner = kernels.ForkProvisioner(kernel_id="1", kernel_spec=None)
    for command in (["R", "--slave"], ["/bin/sh", *kernels.LAUNCHER, "-f", "x"], [sys.executable, "-m", "other"]):
        coroutine = provisioner.launch_kernel(command, env={})
        with pytest.raises(StopIteration):
            coroutine.send(None)
        assert started[-1] == command
