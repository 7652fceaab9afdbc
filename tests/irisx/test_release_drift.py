"""`manage.py release manifest` and `drift`: what was built is written down and signed; what differs from it is named."""

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from accounts.models import User
from irisx.release import command, drift, manifest
from irisx.release.findings import Finding
from irisx.release.standing import _at, standing
from tests.matrix.world import build

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
REVISION = "4f0c9d7e5b1a2c3d4e5f60718293a4b5c6d7e8f9"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    made = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "release.pem").write_bytes(made)
    return tmp_path / "release.pem"


@pytest.fixture
def release(tmp_path: Path) -> Path:
    root = tmp_path / "release"
    for name in ("accounts/models.py", "accounts/migrations/0001_initial.py", "irisx/templates/page.html", "manage.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"# {name}\n")
    return root


def run(root: Path, *arguments: object) -> int:
    return command.main([str(argument) for argument in arguments], root)


def differences(root: Path, *, key: str = "") -> set[tuple[str, str]]:
    found = drift.compare(root, drift.read(root / manifest.NAME), key=key)
    return {(finding.where, finding.what) for finding in found if finding.check != "packages"}


def test_a_manifest_says_what_was_built(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (release / "accounts" / "__pycache__").mkdir()
    (release / "accounts" / "__pycache__" / "models.cpython-311.pyc").write_bytes(b"compiled")

    assert run(release, "manifest", "--revision", REVISION) == 0

    made = drift.read(release / "release.json")
    assert made["revision"] == REVISION
    assert made["migrations"] == {"accounts": ["0001_initial"]}
    assert set(made["files"]) == {
        "accounts/models.py",
        "accounts/migrations/0001_initial.py",
        "irisx/templates/page.html",
        "manage.py",
    }
    assert "4 files" in capsys.readouterr().out
    assert run(release, "drift") == 0
    assert "Nothing has drifted." in capsys.readouterr().out


def test_every_file_added_missing_or_changed_is_named(release: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(release, "manifest", "--revision", REVISION)
    (release / "accounts" / "models.py").write_text("# patched by hand on the server\n")
    (release / "accounts" / "hotfix.py").write_text("")
    (release / "irisx" / "templates" / "page.html").unlink()

    assert differences(release) == {
        ("accounts/models.py", "was changed"),
        ("accounts/hotfix.py", "was added"),
        ("irisx/templates/page.html", "is missing"),
    }
    capsys.readouterr()
    assert run(release, "drift", "--json") == 1
    report = json.loads(capsys.readouterr().out)
    assert [(entry["name"], entry["ok"]) for entry in report["checks"]] == [
        ("manifest", True),
        ("files", False),
        ("packages", True),
    ]


def test_a_signature_holds_whoever_can_write_here_to_what_was_built(
    release: Path, key: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(release, "manifest", "--revision", REVISION, "--key", key) == 0
    public = capsys.readouterr().out.strip().split("IRISX_RELEASE_KEY=")[1]
    assert differences(release, key=public) == set()

    (release / "manage.py").write_text("# patched\n")
    forged = drift.read(release / "release.json")
    forged["files"]["manage.py"] = manifest.digest(release / "manage.py")
    (release / "release.json").write_text(json.dumps(forged))
    assert differences(release) == set()
    assert differences(release, key=public) == {("release.json", "its signature is not that of IRISX_RELEASE_KEY")}

    run(release, "manifest", "--revision", REVISION)
    assert differences(release, key=public) == {
        ("release.json", "it bears no signature, and IRISX_RELEASE_KEY asks for one")
    }
    monkeypatch.setenv("IRISX_RELEASE_KEY", public)
    assert run(release, "drift") == 1


@pytest.mark.parametrize("signature", ["", "not base64!", base64.b64encode(b"short").decode(), 7, None])
def test_what_is_no_signature_is_refused(release: Path, key: Path, signature: object) -> None:
    made = manifest.make(release, revision=REVISION, now=NOW)
    with pytest.raises(manifest.NotSigned):
        manifest.verify({**made, "signature": signature}, manifest.public_key(key.read_bytes()))


def test_libraries_are_held_against_the_lock() -> None:
    pins = ("django==1.0", "not-there==2.0", "neither==3.0 ; sys_platform == 'amiga'")
    lock = "".join(f"{pin} \\\n    --hash=sha256:00\n" for pin in pins)
    found = {(finding.where, finding.level): finding.what for finding in drift.libraries(lock)}
    assert found[("django", "error")].endswith("; the lock has 1.0")
    assert found[("not-there", "error")] == "is missing; the lock has 2.0"
    assert not any(where == "neither" for where, _ in found)
    assert ("pytest", "warning") in found


def test_this_python_has_what_the_lock_says() -> None:
    root = Path(__file__).resolve().parents[2]
    lock = (root / "requirements.lock").read_text()
    assert [finding for finding in drift.libraries(lock) if finding.level == "error"] == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": []}'])
def test_what_is_no_manifest_is_said_to_be_none(release: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (release / "release.json").write_text(text)
    assert run(release, "drift") == 2
    assert "release.json" in capsys.readouterr().err


def test_a_key_that_is_none_writes_nothing(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "not.pem").write_text("hello")
    assert run(release, "manifest", "--key", tmp_path / "not.pem") == 2
    assert run(release, "manifest", "--key", tmp_path / "absent.pem") == 2
    assert not (release / "release.json").exists()


def test_the_revision_is_git_s_and_says_when_files_differ_from_it(release: Path) -> None:
    assert manifest.revision_of(release / "nowhere") == ""
    for arguments in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", "-C", str(release), *arguments], check=True)
    revision = manifest.revision_of(release)
    assert len(revision) == 40
    (release / "manage.py").write_text("# patched\n")
    assert manifest.revision_of(release) == f"{revision}+changes"


class TestAtWork:
    @pytest.fixture(autouse=True)
    def looked_at_anew(self) -> None:
        _at.cache_clear()

    def test_health_and_operators_see_what_drifted(
        self, release: Path, settings: LazySettings, db: None, client: Client
    ) -> None:
        build()
        run(release, "manifest", "--revision", REVISION)
        (release / "accounts" / "hotfix.py").write_text("")
        settings.BASE_DIR = release
        client.force_login(User.objects.create_superuser("olivia@example.com", "correct horse battery", name="Olivia"))

        page = client.get(reverse("admin:release"))

        assert page.status_code == 200
        assert REVISION in page.content.decode()
        assert "accounts/hotfix.py" in page.content.decode()
        assert client.get("/health").json()["release"] == {"status": "drifted", "drift": 1}

    def test_others_do_not_see_it(self, db: None, client: Client) -> None:
        world = build()
        assert client.get(reverse("admin:release")).status_code == 302
        client.force_login(User.objects.create_user("ada@example.com", "correct horse battery", name="Ada"))
        assert client.get(reverse("admin:release")).status_code == 302
        assert world

    def test_a_checkout_is_unknown_until_a_signature_is_asked_for(
        self, release: Path, settings: LazySettings, key: Path
    ) -> None:
        settings.BASE_DIR = release
        settings.IRISX_RELEASE_KEY = ""
        assert standing().status == "unknown"
        _at.cache_clear()
        settings.IRISX_RELEASE_KEY = manifest.public_key(key.read_bytes())
        assert standing().findings == (
            Finding("manifest", "release.json", "is missing, and IRISX_RELEASE_KEY asks for a signed one"),
        )
        assert standing().status == "drifted"

    def test_a_whole_release_is_intact(self, release: Path, settings: LazySettings, key: Path) -> None:
        run(release, "manifest", "--revision", REVISION, "--key", key)
        settings.BASE_DIR = release
        settings.IRISX_RELEASE_KEY = manifest.public_key(key.read_bytes())
        found = standing()
        assert (found.status, found.drift, found.revision) == ("intact", 0, REVISION)


def test_the_command_stands_in_manage_py() -> None:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "manage.py", "release", "manifests"], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "manifest" in done.stderr
