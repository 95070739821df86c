"""A Slurm of our own on this machine: a controller and four nodes that are processes, on loopback, without daemons of the system.
After the documentation of slurm.conf (multiple slurmd on one host)."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

NODES = 4
CONF = """
ClusterName=silicast
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={daemon_port}
SlurmUser=root
AuthType=auth/none
CredType=cred/none
MpiDefault=none
ReturnToService=2
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdSpoolDir={folder}/spool.%n
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,batch_sched_delay=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobRequeue=1
SlurmdTimeout=10
SlurmctldTimeout=10
KillWait=1
MinJobAge=300
SlurmdParameters=config_overrides
PartitionName=sweep Nodes=n[1-{nodes}] Default=YES MaxTime=INFINITE State=UP
"""


def installed():
    return os.geteuid() == 0 and all(shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin") for name in ("slurmctld", "slurmd", "sbatch"))


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class SlurmLab:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.host = socket.gethostname().split(".")[0]
        ports = free_ports(NODES + 2)
        (self.folder / "state").mkdir(parents=True)
        conf = CONF.format(host=self.host, port=ports[0], daemon_port=ports[1], folder=self.folder, nodes=NODES)
        for node in range(1, NODES + 1):
            (self.folder / f"spool.n{node}").mkdir()
            conf += (f"NodeName=n{node} NodeHostname={self.host} NodeAddr=127.0.0.1 Port={ports[node + 1]} CPUs=2 RealMemory=1000 "
                     "State=UNKNOWN\n")
        (self.folder / "slurm.conf").write_text(conf)
        os.environ["SLURM_CONF"] = str(self.folder / "slurm.conf")
        os.environ["PATH"] += ":/usr/sbin"
        self.start_controller()
        for node in range(1, NODES + 1):
            self.start_node(node)
        self.all_idle()

    def words(self, *command):
        return subprocess.run(command, capture_output=True, text=True).stdout.split()

    def wait(self, what, name, seconds=60):
        end = time.monotonic() + seconds
        while not what():
            if time.monotonic() > end:
                raise RuntimeError(f"no {name} after {seconds} s: {(self.folder / 'slurmctld.log').read_text()[-2000:]}")
            time.sleep(0.1)

    def start_controller(self):
        subprocess.run(["slurmctld", "-f", self.folder / "slurm.conf"], check=True)

    def start_node(self, node):
        subprocess.run(["slurmd", "-f", self.folder / "slurm.conf", "-N", f"n{node}"], check=True)

    def kill_controller(self):
        os.kill(int((self.folder / "slurmctld.pid").read_text()), signal.SIGKILL)

    def kill_node(self, node):
        """The node's daemon and all that runs on it."""
        os.kill(int((self.folder / f"slurmd.n{node}.pid").read_text()), signal.SIGKILL)
        for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
            try:
                on_node = f"SLURMD_NODENAME=n{node}\0".encode() in path.read_bytes() and str(self.folder).encode() in path.read_bytes()
                step = b"slurmstepd" in (path.parent / "cmdline").read_bytes() and f"n{node}".encode() in path.read_bytes()
                if on_node or step:
                    os.kill(int(path.parent.name), signal.SIGKILL)
            except (OSError, ProcessLookupError):
                pass
        subprocess.run(["scontrol", "update", f"nodename=n{node}", "state=down", "reason=killed"], check=True)

    def resume(self):
        """A controller that lost the last second starts jobs twice, finds it out, drains their nodes and holds them; an administrator
        resumes and releases them."""
        for node in range(1, NODES + 1):
            subprocess.run(["scontrol", "update", f"nodename=n{node}", "state=resume"], capture_output=True)
        for job in set(self.words("squeue", "-h", "-t", "PD", "-o", "%F")):
            subprocess.run(["scontrol", "release", job], capture_output=True)

    def wait_for_saved_jobs(self):
        """The controller writes down what it knows every few seconds; killed before the first time it knows no job at all."""
        since = time.time()
        state = self.folder / "state" / "job_state"
        self.wait(lambda: state.exists() and state.stat().st_mtime >= since, "saved state of jobs")

    def all_idle(self):
        def idle():
            self.resume()
            return self.words("sinfo", "-h", "-t", "idle", "-o", "%D") == [str(NODES)]
        self.wait(idle, "idle nodes")

    def stop(self):
        subprocess.run(["scancel", "--user=root"], capture_output=True)
        subprocess.run(["scontrol", "shutdown"], capture_output=True)
        time.sleep(0.5)
        for pid_file in self.folder.glob("*.pid"):
            try:
                os.kill(int(pid_file.read_text()), signal.SIGKILL)
            except (OSError, ValueError):
                pass
