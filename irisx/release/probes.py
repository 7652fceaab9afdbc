"""The checks that need the release itself to start: `python -m irisx.release.probes NAME …` prints one JSON list.

A process runs the probes it is asked for, one after the other; what a probe raises is a finding of its own.
"""

import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from irisx.release.findings import Finding
from irisx.release.sources import LOCAL, module_name, python_files

ROOT: Final = Path.cwd()
NEVER_IN_PRODUCTION: Final = {"security.W018"}  # DEBUG


def settings() -> Iterator[Finding]:
    """Name every setting that is unknown, missing or wrong, not the first alone."""
    from irisx.env import problems

    for name, problem in problems(os.environ):
        yield Finding("settings", name, problem)


def imports() -> Iterator[Finding]:
    """Import every module, also those nobody imports; and find tasks that no worker would know."""
    from irisx.celery import app

    app.loader.import_default_modules()
    known = set(app.tasks)
    for path in python_files(ROOT):
        if path.is_relative_to(LOCAL) or path.name == "manage.py":
            continue
        try:
            importlib.import_module(module_name(path))
        except BaseException as error:
            yield Finding("imports", str(path), _said(error))
    for name in sorted(set(app.tasks) - known):
        yield Finding(
            "imports", name, "is a task in a module that workers do not load: import it in the app's tasks module"
        )


def django() -> Iterator[Finding]:
    """Run the system checks, those for deployment among them."""
    from django.core import checks

    for message in checks.run_checks(include_deployment_checks=True):
        if not message.is_silenced():
            is_error = message.is_serious() or message.id in NEVER_IN_PRODUCTION
            where, what = str(message.id), f"{message.obj or ''} {message.msg}".strip()
            yield Finding("django", where, what, "error" if is_error else "warning")


def routes() -> Iterator[Finding]:
    """Load every URL, and the ASGI application with every socket's consumer."""
    from django.urls import URLPattern, get_resolver

    def walk(resolver: Any, prefix: str) -> Iterator[Finding]:
        for pattern in resolver.url_patterns:
            path = prefix + str(pattern.pattern)
            if isinstance(pattern, URLPattern):
                if not callable(pattern.callback):
                    yield Finding("routes", path, "leads to nothing that could answer")
            else:
                yield from walk(pattern, path)

    yield from walk(get_resolver(), "/")
    from irisx.asgi import application

    sockets: Any = application.application_mapping["websocket"]
    for route in sockets.routes:
        if not callable(route.callback):
            yield Finding("routes", str(route.pattern), "leads to no consumer")


def tasks() -> Iterator[Finding]:
    """Hold the schedule against the tasks that workers know."""
    from irisx.celery import app

    app.loader.import_default_modules()
    for entry, schedule in app.conf.beat_schedule.items():
        if schedule["task"] not in app.tasks:
            yield Finding("tasks", f"schedule “{entry}”", f"names {schedule['task']}, which no worker knows")


def admin() -> Iterator[Finding]:
    """Resolve every page of every model in the admin."""
    from django.contrib import admin as django_admin
    from django.urls import NoReverseMatch, reverse

    for model in django_admin.site._registry:
        for page in ("changelist", "add"):
            try:
                reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}")
            except NoReverseMatch as error:
                yield Finding("admin", model._meta.label, _said(error))


def templates() -> Iterator[Finding]:
    """Parse every template of ours."""
    from django.template import TemplateDoesNotExist, TemplateSyntaxError, engines

    for engine in engines.all():
        for folder in engine.template_dirs:
            if not Path(folder).resolve().is_relative_to(ROOT.resolve()) or ".venv" in Path(folder).parts:
                continue
            for path in sorted(Path(folder).rglob("*")):
                if path.suffix not in {".html", ".txt", ".xml"}:
                    continue
                try:
                    engine.get_template(str(path.relative_to(folder)))
                except (TemplateSyntaxError, TemplateDoesNotExist, UnicodeDecodeError) as error:
                    yield Finding("templates", str(path.relative_to(ROOT)), _said(error))


def migrations() -> Iterator[Finding]:
    """Find what the models need and no migration makes, and what would break the release still serving."""
    from irisx.release.migrations import findings

    return findings()


def static() -> Iterator[Finding]:
    """Hold collected files against those that are to be collected."""
    from django.conf import settings as django_settings
    from django.contrib.staticfiles import finders
    from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage

    if not isinstance(staticfiles_storage, ManifestFilesMixin):
        return
    built = staticfiles_storage.hashed_files
    root = str(django_settings.STATIC_ROOT)
    if not built:
        yield Finding("static", root, "static files are not built: run `manage.py collectstatic`")
        return
    for finder in finders.get_finders():
        for path, _ in finder.list([]):
            hashed = built.get(staticfiles_storage.hash_key(path))
            if hashed is None or not staticfiles_storage.exists(hashed):
                yield Finding("static", path, f"is missing from {root}: run `manage.py collectstatic`")


PROBES: dict[str, Callable[[], Iterator[Finding]]] = {
    probe.__name__: probe for probe in (settings, imports, django, routes, tasks, admin, templates, migrations, static)
}


def _said(error: BaseException) -> str:
    """Return what went wrong in a line, with the place in our own sources where it did."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(ROOT)]
    place = f" ({Path(ours[-1].filename).relative_to(ROOT)}:{ours[-1].lineno})" if ours else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{place}"


def run(names: list[str]) -> list[Finding]:
    """Run probes by their names. All but `settings` need Django started; when it cannot be, each says so."""
    if names != ["settings"]:
        try:
            os.environ.setdefault("DJANGO_SETTINGS_MODULE", "irisx.settings")
            import django as framework

            framework.setup()
        except BaseException as error:
            return [Finding(name, "-", f"Django does not start: {_said(error)}") for name in names]
    findings = []
    for name in names:
        try:
            findings += list(PROBES[name]())
        except BaseException as error:
            findings.append(Finding(name, "-", _said(error)))
    return findings


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps([asdict(finding) for finding in run(sys.argv[1:])]) + "\n")
