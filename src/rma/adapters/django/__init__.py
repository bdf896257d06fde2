"""
Ledgers on the connection of a Django project. Needs the extras `django` and `sql`.

Add `rma.adapters.django` to INSTALLED_APPS and migrate. `django_service` makes a service over it: inside
`transaction.atomic` its commands are stored with what else is written there, and delivered after the commit;
`manage.py rma_resume` delivers what is left. Tables, statements and documents are those of
`rma.adapters.sql`.
"""

from rma.adapters.django.conf import get_service
from rma.adapters.django.repository import DjangoReturns
from rma.adapters.django.service import DjangoReturnService, django_service

__all__ = ["DjangoReturnService", "DjangoReturns", "django_service", "get_service"]
