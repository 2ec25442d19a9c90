// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

interface IRoles {
    function rolesOf(address identity, address member) external view returns (uint64);
}

/// @notice What a predicate is asked about.
struct PredicateContext {
    address account;
    address owner;
    address identity;
    bytes32 functionId;
    uint32 cohort;
    bool approved;
    uint32 uses;
    uint64 time;
}

/// @notice Why a predicate refuses.
enum Refusal {
    None,
    Denied,
    Expired,
    UsedUp,
    FunctionNotAllowed,
    CohortTooSmall,
    ApprovalMissing
}

/// @title The encoding of predicates: a version byte, then conditions and connectives in postfix order
/// @dev The same language as core/predicates; a differential test keeps the two together.
library PredicateCode {
    uint256 internal constant MAX_BYTES = 2048;
    uint256 internal constant MAX_NODES = 64;
    uint256 internal constant MAX_LIST = 32;
    uint256 internal constant MAX_ARITY = 16;

    uint8 internal constant VERSION = 1;
    uint8 internal constant OWNER = 0x01;
    uint8 internal constant KEYS = 0x02;
    uint8 internal constant ROLE = 0x03;
    uint8 internal constant EXPIRY = 0x04;
    uint8 internal constant USES = 0x05;
    uint8 internal constant FUNCTIONS = 0x06;
    uint8 internal constant COHORT = 0x07;
    uint8 internal constant APPROVAL = 0x08;
    uint8 internal constant ANYONE = 0x09;
    uint8 internal constant AND = 0x10;
    uint8 internal constant OR = 0x11;
    uint8 internal constant NOT = 0x12;

    uint256 private constant ALL = (1 << EXPIRY) | (1 << USES) | (1 << FUNCTIONS) | (1 << COHORT) | (1 << APPROVAL);

    error InvalidPredicate(uint256 position);

    /// @notice Reverts unless `code` is well formed. Lists must ascend strictly, so that a set has one encoding.
    /// @return counted Whether a use count occurs.
    function validate(bytes memory code) internal pure returns (bool counted) {
        if (code.length < 2 || code.length > MAX_BYTES || uint8(code[0]) != VERSION) revert InvalidPredicate(0);
        uint256 pos = 1;
        uint256 height = 0;
        uint256 nodes = 0;
        while (pos < code.length) {
            uint256 start = pos;
            if (++nodes > MAX_NODES) revert InvalidPredicate(start);
            uint8 op = uint8(code[pos]);
            if (op == AND || op == OR) {
                if (pos + 2 > code.length) revert InvalidPredicate(start);
                uint256 arity = uint8(code[pos + 1]);
                if (arity < 2 || arity > MAX_ARITY || arity > height) revert InvalidPredicate(start);
                height -= arity - 1;
                pos += 2;
                continue;
            }
            if (op == NOT) {
                if (height == 0) revert InvalidPredicate(start);
                pos += 1;
                continue;
            }
            pos += _leafSize(code, pos);
            if (pos > code.length) revert InvalidPredicate(start);
            if (op == KEYS) _requireAscending(code, start, 20);
            else if (op == FUNCTIONS) _requireAscending(code, start, 32);
            else if (op == ROLE && _word(code, start + 21, 8) == 0) revert InvalidPredicate(start);
            else if (op == EXPIRY && _word(code, start + 1, 6) == 0) revert InvalidPredicate(start);
            else if (op == COHORT && _word(code, start + 1, 4) == 0) revert InvalidPredicate(start);
            else if (op == USES) {
                if (_word(code, start + 1, 4) == 0) revert InvalidPredicate(start);
                counted = true;
            }
            ++height;
        }
        if (height != 1) revert InvalidPredicate(pos);
    }

    /// @notice Evaluates validated code and names the condition that has to change first.
    function refusal(
        bytes memory code,
        PredicateContext memory context,
        IRoles roles
    ) internal view returns (Refusal) {
        if (_evaluate(code, context, roles, 0)) return Refusal.None;
        if (!_evaluate(code, context, roles, ALL)) return Refusal.Denied;
        if (!_evaluate(code, context, roles, ALL ^ (1 << EXPIRY))) return Refusal.Expired;
        if (!_evaluate(code, context, roles, ALL ^ (1 << USES))) return Refusal.UsedUp;
        if (!_evaluate(code, context, roles, ALL ^ (1 << FUNCTIONS))) return Refusal.FunctionNotAllowed;
        if (!_evaluate(code, context, roles, ALL ^ (1 << COHORT))) return Refusal.CohortTooSmall;
        if (!_evaluate(code, context, roles, ALL ^ (1 << APPROVAL))) return Refusal.ApprovalMissing;
        return Refusal.Denied;
    }

    /// @dev The stack is the bits of one word, top at bit 0. Conditions whose bit is in `assumed` count as met.
    function _evaluate(
        bytes memory code,
        PredicateContext memory context,
        IRoles roles,
        uint256 assumed
    ) private view returns (bool) {
        uint256 stack = 0;
        uint256 pos = 1;
        while (pos < code.length) {
            uint8 op = uint8(code[pos]);
            if (op == AND || op == OR) {
                uint256 arity = uint8(code[pos + 1]);
                uint256 mask = (1 << arity) - 1;
                uint256 operands = stack & mask;
                stack = ((stack >> arity) << 1) | ((op == AND ? operands == mask : operands != 0) ? 1 : 0);
                pos += 2;
            } else if (op == NOT) {
                stack ^= 1;
                pos += 1;
            } else {
                bool met = (assumed >> op) & 1 == 1 || _condition(code, pos, op, context, roles);
                stack = (stack << 1) | (met ? 1 : 0);
                pos += _leafSize(code, pos);
            }
        }
        return stack & 1 == 1;
    }

    function _condition(
        bytes memory code,
        uint256 pos,
        uint8 op,
        PredicateContext memory context,
        IRoles roles
    ) private view returns (bool) {
        if (op == OWNER) return context.account == context.owner;
        if (op == KEYS) return _contains(code, pos, 20, uint256(uint160(context.account)));
        if (op == ROLE) {
            address identity = address(uint160(_word(code, pos + 1, 20)));
            uint256 mask = _word(code, pos + 21, 8);
            if (identity == address(0)) identity = context.identity;
            return uint256(roles.rolesOf(identity, context.account)) & mask == mask;
        }
        if (op == EXPIRY) return context.time < _word(code, pos + 1, 6);
        if (op == USES) return context.uses < _word(code, pos + 1, 4);
        if (op == FUNCTIONS) return _contains(code, pos, 32, uint256(context.functionId));
        if (op == COHORT) return context.cohort >= _word(code, pos + 1, 4);
        if (op == APPROVAL) return context.approved;
        return op == ANYONE;
    }

    function _leafSize(bytes memory code, uint256 pos) private pure returns (uint256) {
        uint8 op = uint8(code[pos]);
        if (op == OWNER || op == APPROVAL || op == ANYONE) return 1;
        if (op == ROLE) return 29;
        if (op == EXPIRY) return 7;
        if (op == USES || op == COHORT) return 5;
        if (op == KEYS || op == FUNCTIONS) {
            if (pos + 2 > code.length) revert InvalidPredicate(pos);
            uint256 count = uint8(code[pos + 1]);
            if (count == 0 || count > MAX_LIST) revert InvalidPredicate(pos);
            return 2 + count * (op == KEYS ? 20 : 32);
        }
        revert InvalidPredicate(pos);
    }

    function _requireAscending(bytes memory code, uint256 pos, uint256 size) private pure {
        uint256 count = uint8(code[pos + 1]);
        for (uint256 i = 1; i < count; ++i) {
            if (_word(code, pos + 2 + (i - 1) * size, size) >= _word(code, pos + 2 + i * size, size))
                revert InvalidPredicate(pos);
        }
    }

    function _contains(bytes memory code, uint256 pos, uint256 size, uint256 value) private pure returns (bool) {
        uint256 count = uint8(code[pos + 1]);
        for (uint256 i = 0; i < count; ++i) if (_word(code, pos + 2 + i * size, size) == value) return true;
        return false;
    }

    /// @dev The big-endian number in `size` bytes at `pos`; the caller has checked the bounds.
    function _word(bytes memory code, uint256 pos, uint256 size) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(sub(256, mul(size, 8)), mload(add(add(code, 32), pos)))
        }
    }
}
