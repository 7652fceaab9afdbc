"""What a check found, for people and for machines. The standard library alone: this must run where nothing else does."""

import json
from dataclasses import dataclass
from typing import Final, Literal

Level = Literal["error", "warning"]
WIDTH: Final = 12


@dataclass(frozen=True, order=True)
class Finding:
    """One fault. `where` is a path with its line, a migration, a setting, a route …"""

    check: str
    where: str
    what: str
    level: Level = "error"


@dataclass(frozen=True)
class Report:
    """All checks in order, what each found, and how long all of it took."""

    version: str
    checks: tuple[str, ...]
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def is_ok(self) -> bool:
        """Warnings stop no release."""
        return all(finding.level != "error" for finding in self.findings)

    def of(self, check: str) -> list[Finding]:
        return sorted(finding for finding in self.findings if finding.check == check)

    def as_json(self) -> str:
        """Return `{"version", "ok", "seconds", "checks": [{"name", "ok", "findings": [{where, what, level}]}]}`."""
        checks = [
            {
                "name": check,
                "ok": all(finding.level != "error" for finding in self.of(check)),
                "findings": [
                    {"where": finding.where, "what": finding.what, "level": finding.level} for finding in self.of(check)
                ],
            }
            for check in self.checks
        ]
        head = {"version": self.version, "ok": self.is_ok, "seconds": round(self.seconds, 1)}
        return json.dumps({**head, "checks": checks}, indent=2)

    def as_table(self, well: str, ill: str) -> str:
        """Return a line for each check and, below it, one for each finding; then the verdict, in one of two phrases."""
        lines = []
        for check in self.checks:
            findings = self.of(check)
            worst = "FAILED" if any(f.level == "error" for f in findings) else "warnings" if findings else "ok"
            lines.append(f"{check:<{WIDTH}} {worst}")
            lines += [f"  {finding.level}: {finding.where}: {finding.what}" for finding in findings]
        errors = sum(finding.level == "error" for finding in self.findings)
        verdict = f"{well}." if self.is_ok else f"{ill}: {errors} error{'s' * (errors > 1)}."
        return "\n".join([*lines, "", f"{verdict} (IRISX {self.version}, {self.seconds:.1f} s)"])
