"""Krita is closed while a job runs and another waits."""

from desk import OUT, click, docker, fix_seed, prepared, session, type_prompt
from pieces import claim


@claim
def a_job_runs_and_another_waits_when_krita_is_closed():
    yield from prepared()
    for prompt in ("left behind @gate:left", "not wanted any more"):
        type_prompt(prompt)
        fix_seed(7)
        click(docker().button)
    first, second = session().jobs.generations
    yield lambda: first.status.fraction is not None and second.status.accepted
    (OUT / "job").write_text(first.job)
