// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IRoles, PredicateCode, PredicateContext, Refusal} from "./PredicateCode.sol";

/// @title Predicates and CheckPermission (paper §6.2, Alg. 2)
/// @notice A predicate is published once under the hash of its encoding and never changes.
contract Predicates {
    IRoles private immutable _roles;
    /// @dev Address of the contract whose code is 0x00 followed by the encoding; bit 160: it counts uses.
    mapping(bytes32 id => uint256) private _published;

    event PredicatePublished(bytes32 indexed predicateId, bytes encoding);

    error UnknownPredicate(bytes32 predicateId);
    error StorageFailed();

    constructor(IRoles roles) {
        _roles = roles;
    }

    /// @notice Publishes a predicate; one that is known stays as it is.
    function publish(bytes calldata encoding) external returns (bytes32 id) {
        id = keccak256(encoding);
        if (_published[id] != 0) return id;
        bool counted = PredicateCode.validate(encoding);
        // Code is cheaper to keep and to read than storage. The init code returns everything that follows it.
        bytes memory init = bytes.concat(hex"600b5981380380925939f300", encoding);
        address pointer;
        assembly ("memory-safe") {
            pointer := create(0, add(init, 32), mload(init))
        }
        if (pointer == address(0)) revert StorageFailed();
        _published[id] = uint256(uint160(pointer)) | (counted ? 1 << 160 : 0);
        emit PredicatePublished(id, encoding);
    }

    function isPublished(bytes32 id) external view returns (bool) {
        return _published[id] != 0;
    }

    /// @notice The encoding, empty if the predicate is unknown.
    function encodingOf(bytes32 id) external view returns (bytes memory) {
        return _published[id] == 0 ? bytes("") : _load(_published[id]);
    }

    /// @notice CheckPermission with the reason of a refusal.
    /// @return reason None if the predicate holds.
    /// @return counted Whether the predicate counts uses.
    function check(
        bytes32 id,
        PredicateContext calldata context
    ) external view returns (Refusal reason, bool counted) {
        uint256 published = _published[id];
        if (published == 0) revert UnknownPredicate(id);
        return (PredicateCode.refusal(_load(published), context, _roles), published >> 160 == 1);
    }

    function _load(uint256 published) private view returns (bytes memory encoding) {
        address pointer = address(uint160(published));
        uint256 size = pointer.code.length - 1;
        encoding = new bytes(size);
        assembly ("memory-safe") {
            extcodecopy(pointer, add(encoding, 32), 1, size)
        }
    }
}
