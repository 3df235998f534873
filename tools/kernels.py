"""Start the kernels of the notebooks as forks of one process that has imported what most of them import.

A kernel takes some two seconds of processor until NumPy, pandas and Matplotlib are there, a fork a tenth of that, and
there are more than a hundred notebooks.
"""

import multiprocessing
import os
import sys
from importlib.metadata import EntryPoint

from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

LAUNCHER = ["-m", "ipykernel_launcher"]


class Fork:
    """A forked process with what `LocalProvisioner` asks of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, process):
        self._process, self.pid = process, process.pid

    def poll(self):
        return self._process.exitcode

    def wait(self):
        self._process.join()
        return self._process.exitcode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)


def _run(*args):
    from . import warm  # is there already, where the process that is forked has imported it

    warm.run(*args)


class ForkProvisioner(LocalProvisioner):
    """Forks the kernels of this Python; starts any other as ever."""

    async def launch_kernel(self, cmd, **kwargs):
        if cmd[1:3] != LAUNCHER or not os.path.samefile(cmd[0], sys.executable):
            return await super().launch_kernel(cmd, **kwargs)
        arguments = (cmd[3:], str(kwargs.get("cwd") or os.getcwd()), kwargs["env"])
        process = multiprocessing.get_context("forkserver").Process(target=_run, args=arguments)
        process.start()
        self.process, self.pid, self.pgid, self.cwd = Fork(process), process.pid, process.pid, arguments[1]
        return self.connection_info


def fork_kernels():
    """Let this process fork the kernels that it starts from now on, where libraries bear it: on Linux."""
    if sys.platform != "linux":
        return
    multiprocessing.get_context("forkserver").set_forkserver_preload(["tools.warm"])
    factory = KernelProvisionerFactory.instance()
    own = EntryPoint("fork", f"{__name__}:ForkProvisioner", KernelProvisionerFactory.GROUP_NAME)
    factory.provisioners[own.name], factory.default_provisioner_name = own, own.name
