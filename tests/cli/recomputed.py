"""The summary of a result file computed a second time, by numpy and pandas from its rows alone, from the definitions in
sim/report/METRICS.md and not from the code."""
import numpy as np

QUANTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "max": 1.0}


def time_average_in_system(rows, run_seconds):
    """The integral of the number in the system, by walking through arrivals and ends in order of time."""
    times = np.concatenate([rows.arrival, rows.completion])
    changes = np.concatenate([np.ones(len(rows)), -np.ones(len(rows))])
    order = np.argsort(times, kind="stable")
    times, in_system = times[order], np.cumsum(changes[order])
    return float((in_system[:-1] * np.diff(times)).sum() * 1e-9 / run_seconds)


def good(done, limits):
    """Which completed requests kept every limit (seconds by metric); a TPOT that does not exist keeps any."""
    kept = np.ones(len(done), dtype=bool)
    for metric, limit in limits.items():
        kept &= ~(done[metric].to_numpy() > limit)
    return kept


def ttft_parts(results):
    """Means over the measured requests: until the first iteration, from there to the first token, and the share of the latter
    that falls on requests which were ever preempted."""
    measured = results.done[results.done.arrival >= round(results.summary["window_from_s"] * 1e9)]
    after_queue = (measured.first_token - measured.scheduled) * 1e-9
    return {"queue": measured.queue.mean(), "after_queue": after_queue.mean(),
            "after_queue_of_preempted": after_queue[measured.preemptions > 0].sum() / len(measured)}


def summary(results, limits=None, pool=None):
    """By metric key. Counts are of the whole run, latencies of the requests that arrived in the window, rates of what completed
    before the last arrival (results of runs in which most requests do)."""
    whole = results.summary
    rows, done = results.rows, results.done
    last_arrival = rows.arrival.max()
    if pool is not None:
        rows, done = rows[rows.pool == pool], done[done.pool == pool]
    start = round(whole["window_from_s"] * 1e9)
    out = {"requests": len(rows), "preemptions": int(rows.preemptions.sum())}
    for code, state in enumerate(results.states):
        out[f"requests_{state}"] = int((rows.state == code).sum())
    measured = done[done.arrival >= start]
    out["requests_measured"] = len(measured)
    for metric in ("ttft", "tpot", "e2e"):
        values = measured[metric].dropna()
        out[f"{metric}_mean_s"] = values.mean()
        for name, q in QUANTILES.items():
            out[f"{metric}_{name}_s"] = values.quantile(q)
    out["ttft_queue_mean_s"] = measured.queue.mean()
    in_window = done[(done.completion > start) & (done.completion < last_arrival)]
    seconds = (last_arrival - start) * 1e-9
    out["requests_per_s"] = len(in_window) / seconds
    out["prompt_tokens_per_s"] = in_window.prompt_tokens.sum() / seconds
    out["output_tokens_per_s"] = in_window.output_tokens.sum() / seconds
    if limits:
        out["good_share"] = good(measured, limits).sum() / (rows.arrival >= start).sum()
        out["good_requests_per_s"] = good(in_window, limits).sum() / seconds
    return out
