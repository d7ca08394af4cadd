"""What kernel names mean: roles, contracts, profiles, and which generation of the kernel a tree is."""

from tlblint.roles.contracts import ContractTable, SlotContract, load_contracts
from tlblint.roles.decode import RoleError
from tlblint.roles.generation import HEADERS, Generation, detect
from tlblint.roles.load import load_roles
from tlblint.roles.profiles import ProfileData, load_profile_data, load_profiles
from tlblint.roles.table import RoleTable

__all__ = [
    "HEADERS",
    "ContractTable",
    "Generation",
    "ProfileData",
    "RoleError",
    "RoleTable",
    "SlotContract",
    "detect",
    "load_contracts",
    "load_profile_data",
    "load_profiles",
    "load_roles",
]
