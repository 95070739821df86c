"""Shared by the tests of `silicast sweep`: small sweeps, their files read back."""
import h5py

from cli_support import CALM, CliTest

SMALL = CALM.replace("requests: 2000", "requests: 40")
RATES = "  - {key: workload.arrivals.rate, name: rate, linear: [1 /s, 60 /s], points: %d}\n"
REPLICAS = "  - {key: cluster.pools.0.replicas, name: replicas, values: [%s]}\n"
DONE, REFUSED = 1, 2  # states of points


def sweep_of(*axes, more=""):
    return "name: s\nscenario: small.yaml\naxes:\n" + "".join(axes) + more


class Points:
    """A sweep's file, read as the README says."""

    def __init__(self, path):
        with h5py.File(path, "r") as file:
            self.complete = int(file.attrs["complete"])
            self.columns = {name: column.asstr()[:] if column.dtype == object else column[:] for name, column in file["points"].items()}
            self.summary = {name: column[:] for name, column in file["summary"].items()}
            self.requests = {name: column[:] for name, column in file["requests"].items()} if "requests" in file else {}
        self.state = self.columns["state"]
        self.fingerprints = [f"{int(one) % 2**64:016x}" for one in self.columns["fingerprint"]]


class SweepTest(CliTest):
    def setUp(self):
        super().setUp()
        self.write("small.yaml", SMALL)

    def bytes_of(self, name):
        return (self.folder / name).read_bytes()

    def files(self):
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*"))

    def sweep(self, *arguments, status=0, **more):
        return self.silicast("sweep", "s.yaml", *arguments, status=status, **more)
