"""Defines Airflow's connection form for the connection type Xero (entry point `apache_airflow_provider`)."""

from typing import Any


def text(label: str, description: str, default: str | None = None, **schema: Any) -> dict[str, Any]:
    """A text field of the form, stored in the connection's extra. If it is left empty, the default applies."""
    return {
        "label": label,
        "description": description,
        "schema": {"type": ["string", "null"], "default": default, **schema},
    }


def get_provider_info() -> dict[str, Any]:
    """Returns the provider's declaration as Airflow 3.3 expects it (`provider.yaml.schema.json`)."""
    return {
        "package-name": "qicworks-xero",
        "name": "Xero",
        "description": "Synchronises QicWorks (job management) with Xero (accounting and payroll).",
        "connection-types": [
            {
                "connection-type": "xero",
                "hook-name": "Xero",
                "hook-class-name": "xero.hooks.XeroHook",
                "ui-field-behaviour": {
                    "hidden-fields": ["schema", "port"],
                    "relabeling": {"login": "Client id", "password": "Client secret", "host": "API host"},
                    "placeholders": {
                        "login": "Client id of the app at developer.xero.com",
                        "password": "Client secret of that app",
                        "host": "https://api.xero.com",
                    },
                },
                "conn-fields": {
                    "grant_type": text(
                        "Grant",
                        "authorization_code: a user of each organisation connects it in the browser. "
                        "client_credentials: a custom connection; no user sign-in needed.",
                        "authorization_code",
                        enum=["authorization_code", "client_credentials"],
                    ),
                    "scopes": text(
                        "Scopes",
                        "Permissions to request from Xero, separated by spaces. "
                        "Empty: all scopes that pulls and pushes need, including write access.",
                    ),
                    "redirect_uri": text(
                        "Redirect URI",
                        "Where Xero returns the user. Must exactly match the redirect URI registered at "
                        "developer.xero.com. Only for authorization_code.",
                    ),
                    "token_keys": text(
                        "Token keys",
                        "Fernet keys that encrypt the stored tokens, newest first, separated by commas. "
                        "Tokens are re-encrypted with the first key when they are next refreshed.",
                        format="password",
                    ),
                    "identity_host": text(
                        "Identity host", "The server that issues tokens.", "https://identity.xero.com"
                    ),
                    "login_host": text("Login host", "The server where users log in.", "https://login.xero.com"),
                },
            }
        ],
    }
