"""What a production account needs, and how the code gets there."""

from infra.node import use_own_node

use_own_node()
