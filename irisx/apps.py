from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class IrisxConfig(AppConfig):
    name = "irisx"
    verbose_name = "IRISX"

    def ready(self) -> None:
        from irisx import checks  # noqa: F401 - registers them


class OperatorAdminConfig(AdminConfig):
    """Django admin on our own site."""

    default_site = "irisx.admin_site.OperatorSite"
