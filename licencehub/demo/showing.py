"""Showing one licence, its package and its verification, and the journal: through the hub's public interface alone."""

import json
import subprocess
import sys
from typing import Any, Self

import httpx

from licencehub.demo.stage import Stage

Json = dict[str, Any]


class Library:
    """The licence library as a person with a bearer key sees it; a context manager."""

    def __init__(self, stage: Stage) -> None:
        key = stage.secret("client-developer").read_text("ascii").strip()
        headers = {"Authorization": f"Bearer {key}"}
        self._stage = stage
        self._http = httpx.Client(base_url=stage.base, headers=headers, timeout=30, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._http.close()

    def by_number(self, number: str) -> Json:
        """The licence with this number."""
        found = self._asked("GET", "/v1/licences", params={"number": number, "scope": "management"}).json()
        licence: Json = found["licences"][0]
        return licence

    def count_shared(self) -> int:
        """Licences that may be shared: current, valid and sealed."""
        count, after = 0, ""
        while True:
            query = {"scope": "sharing", "limit": "500", **({"after": after} if after else {})}
            page = self._asked("GET", "/v1/licences", params=query).json()
            count += len(page["licences"])
            after = page["next"]
            if not after:
                return count

    def history(self, identifier: str) -> Json:
        """Versions and status events."""
        history: Json = self._asked("GET", f"/v1/licences/{identifier}/history").json()
        return history

    def package(self, identifier: str, form: str) -> bytes:
        """The sealed package as ``ofd`` or ``pdf``; it is kept in the stage's folder too."""
        data = self._asked("GET", f"/v1/licences/{identifier}/package", params={"form": form}).content
        (self._stage.folder / f"licence.{form}").write_bytes(data)
        return data

    def verification(self, data: bytes) -> Json:
        """The hub's report on a file."""
        headers = {"Content-Type": "application/octet-stream"}
        report: Json = self._asked("POST", "/v1/verifications", content=data, headers=headers).json()
        return report

    def face_link(self, identifier: str) -> str:
        """A link to the picture of the face that opens once within ten minutes."""
        return str(self._asked("POST", f"/v1/licences/{identifier}/links").json()["url"])

    def _asked(self, method: str, path: str, **more: Any) -> httpx.Response:
        return self._http.request(method, path, **more).raise_for_status()


def journal_report(stage: Stage) -> Json:
    """What ``licence-hub journal verify`` says: size, root, whether every entry and checkpoint is sound."""
    command = [
        sys.executable,
        "-P",
        "-m",
        "licencehub",
        "-c",
        str(stage.config),
        "journal",
        "verify",
        "--json",
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)  # noqa: S603 -- our own program
    if done.returncode == 2 or not done.stdout:
        return {"valid": False, "fault": done.stderr.strip(), "size": 0, "root": ""}
    report: Json = json.loads(done.stdout)
    return report


def licence_facts(licence: Json, history: Json) -> dict[str, str]:
    """What is shown of a licence."""
    holder = licence["holders"][0]
    until = "长期" if licence.get("long_term") else licence.get("valid_until") or ""
    versions = ", ".join(f"{v['version_no']} {v['outcome']}" for v in history["versions"])
    return {
        "identifier 电子证照标识": licence["identifier"],
        "name 证照名称": licence["licence_name"],
        "number 证照编号": licence["licence_number"],
        "holder 持证主体": f"{holder.get('name', '')} {holder.get('code', '')}",
        "issuer 颁发机构": f"{licence['issuer_name']} {licence['issuer_code']}",
        "validity 有效期": f"{licence.get('valid_from') or ''} – {until}",
        "status 状态": licence["status"],
        "versions 版本": versions,
    }


def package_facts(data: bytes, report: Json, pdf: bytes, pdf_report: Json) -> dict[str, str]:
    """What is shown of a package and its verification."""
    metadata, signatures = report["content"]["metadata"], report["signatures"]
    facts = {
        "file number 文件编号": metadata.get("WJBH", ""),
        "size 大小": f"{len(data):,} bytes, OFD",
        "library 证照库": metadata.get("ZZKMC", ""),
    }
    for signature in signatures:
        name = signature["seal_name"] or signature["kind"]
        facts[f"{signature['kind']} 签章"] = f"{name}; {signature['algorithm']}; {signature['signer']}"
    marks = {"passed": "✓", "failed": "✗", "cannot": "?", "not-run": "–"}
    for step in report["steps"]:
        facts[f"  {step['step']}"] = (
            f"{marks[step['outcome']]} {step['message']['en']} {step['message']['zh-CN']}"
        )
    facts["verdict 结论"] = report["verdict"]
    signers = "; ".join(f"{one['algorithm']}; {one['signer']}" for one in pdf_report["signatures"])
    facts["the same as PDF"] = f"{len(pdf):,} bytes; {signers}; {pdf_report['verdict']}"
    return facts
