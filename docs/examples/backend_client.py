"""A backend client, as an EHR would write it: a key pair, a signed assertion, an access token.

    python docs/examples/backend_client.py keys ehr
    python docs/examples/backend_client.py token http://127.0.0.1:8000/fhir CLIENT ehr "system/*.rs"

The first writes ehr.pem and ehr.jwks.json, unless they are there already; the second prints an
access token for the client that was registered with ehr.jwks.json. https://hl7.org/fhir/smart-app-launch/backend-services.html
"""

import json
import os
import sys
import time
import uuid
from pathlib import Path

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jose import jwk, jwt

ALGORITHM = "ES384"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def write_keys(name: str) -> None:
    """Make a P-384 key pair: NAME.pem stays secret, NAME.jwks.json is for registration."""
    if Path(f"{name}.pem").exists():
        sys.exit(f"{name}.pem exists, and a client may be registered with it: nothing is changed.")
    key = ec.generate_private_key(ec.SECP384R1())
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with open(f"{name}.pem", "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write(private)
    shown = jwk.construct(public, ALGORITHM).to_dict() | {"kid": name, "use": "sig"}
    Path(f"{name}.jwks.json").write_text(json.dumps({"keys": [shown]}, indent=2))


def fetch_token(base_url: str, client_id: str, name: str, scope: str) -> str:
    """Ask the server's token endpoint for an access token; ends with its answer when refused."""
    found = httpx.get(f"{base_url}/.well-known/smart-configuration").raise_for_status().json()
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": found["token_endpoint"],
        "exp": int(time.time()) + 240,
        "jti": str(uuid.uuid4()),
    }
    key = Path(f"{name}.pem").read_text()
    answer = httpx.post(
        found["token_endpoint"],
        data={
            "grant_type": "client_credentials",
            "scope": scope,
            "client_assertion_type": ASSERTION,
            "client_assertion": jwt.encode(claims, key, ALGORITHM, headers={"kid": name}),
        },
    )
    if answer.is_error:
        sys.exit(f"No token: {answer.status_code} {answer.text}")
    return str(answer.json()["access_token"])


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["keys", name]:
            write_keys(name)
        case ["token", base_url, client_id, name, scope]:
            print(fetch_token(base_url, client_id, name, scope))
        case _:
            sys.exit(__doc__)
