"""Krita is closed while a job runs."""

from desk import OUT, click, docker, fix_seed, prepared, session, type_prompt
from pieces import claim


@claim
def a_job_runs_when_krita_is_closed():
    yield from prepared()
    type_prompt("left behind @gate:left")
    fix_seed(7)
    click(docker().button)
    yield lambda: session().current is not None and session().current.status.fraction is not None
    (OUT / "job").write_text(session().current.job)
