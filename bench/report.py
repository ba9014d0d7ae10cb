"""The figures of a measurement as a table and as JSON."""

import json
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Results = dict[str, Any]


def circumstances() -> Results:
    """When, on what machine and of which commit the figures are."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    cpu = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "python": platform.python_version(),
        "cores": len(cpu),
        "cpu": cpu[0].partition(":")[2].strip() if cpu else platform.processor(),
    }


def table(results: Results) -> str:
    """What `make bench` prints."""
    lines = [f"{'':32}{'c':>4}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'errors':>8}  processor us"]
    for name, by_clients in results["workloads"].items():
        for clients, row in by_clients.items():
            lines.append(
                f"{name:32}{clients:>4}{row['rps']:9.0f}{row['p50']:9.2f}{row['p99']:9.2f}"
                f"{row['errors']:8}"
                + "".join(f"  {who} {us}" for who, us in row.get("cpu_us", {}).items())
                + (f"  sustained {row['sustained']:.0f}" if "sustained" in row else "")
            )
    for name, row in results.get("ceilings", {}).items():
        share = f"{row['reached']:.0%}" if row.get("reached") else ""
        lines.append(f"{name:36}{row['rps']:9.0f}  reached {share}")
    for name in ("memory_mb", "bytes_a_resource", "validation_us", "load"):
        if name in results:
            lines.append(f"{name}: {json.dumps(results[name])}")
    return "\n".join(lines)


def write(results: Results, folder: Path) -> Path:
    """Write the results under today's date and time; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{datetime.now(UTC):%Y-%m-%d-%H%M}.json"
    path.write_text(json.dumps(results, indent=1) + "\n")
    return path
