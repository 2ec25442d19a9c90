// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Dictionary} from "./Dictionary.sol";
import {AlreadyDone, InvalidLength, InvalidSignature, NotAscending} from "./Errors.sol";

/// @title Pseudonyms and shared identities (paper §6.1, Alg. 1)
/// @notice addr_P is the XOR of one value per member. The paper takes the public key itself; here it is a hash of
/// the key and the whole member set, because with plain keys whoever makes 161 of them can solve for any address.
contract Identities is EIP712 {
    struct Identity {
        uint32 nonce;
        uint8 memberCount;
        bytes32 storePredicate;
    }

    uint256 public constant MAX_MEMBERS = 64;
    bytes32 private constant CONSENT_TYPEHASH =
        keccak256("Consent(address identity,bytes32 acl,bytes32 storePredicate,uint256 nonce)");

    Dictionary private immutable _dictionary;
    mapping(address identity => Identity) private _identities;
    mapping(address identity => mapping(address member => uint64)) private _roles;

    event IdentityCreated(address indexed identity, address[] members, uint64[] roles, bytes32 storePredicate);
    event IdentityUpdated(address indexed identity, address[] members, uint64[] roles, bytes32 storePredicate);

    error IdentityExists(address identity);
    error UnknownIdentity(address identity);
    error NoRoles(address member);

    constructor(Dictionary dictionary) EIP712("Enigma Identities", "1") {
        _dictionary = dictionary;
    }

    /// @notice addr_P of a strictly ascending list of member accounts.
    function identityAddress(address[] calldata members) public pure returns (address identity) {
        uint256 length = members.length;
        if (length == 0 || length > MAX_MEMBERS) revert InvalidLength();
        for (uint256 i = 1; i < length; ++i) if (members[i - 1] >= members[i]) revert NotAscending();
        bytes32 set = keccak256(abi.encodePacked(members));
        uint160 sum = 0;
        for (uint256 i = 0; i < length; ++i) sum ^= uint160(uint256(keccak256(abi.encode(set, members[i]))));
        return address(sum);
    }

    /// @notice L[addr_P] <- ACL, with the consent of every member.
    /// @param signatures One per member, in order; empty for the sender itself.
    function create(
        address[] calldata members,
        uint64[] calldata roles,
        bytes32 storePredicate,
        bytes[] calldata signatures
    ) external returns (address identity) {
        identity = identityAddress(members);
        Identity storage record = _identities[identity];
        bytes memory acl = _encodeAcl(members, roles);
        if (record.memberCount != 0) {
            if (record.nonce == 1 && _isCurrent(identity, record, acl, storePredicate)) revert AlreadyDone();
            revert IdentityExists(identity);
        }
        _checkConsents(identity, members, acl, storePredicate, 0, signatures);
        record.memberCount = uint8(members.length);
        _write(identity, record, members, roles, acl, storePredicate);
        emit IdentityCreated(identity, members, roles, storePredicate);
    }

    /// @notice Replaces the policies of an identity's members, with the consent of every member.
    function update(
        address[] calldata members,
        uint64[] calldata roles,
        bytes32 storePredicate,
        bytes[] calldata signatures
    ) external {
        address identity = identityAddress(members);
        Identity storage record = _identities[identity];
        if (record.memberCount == 0) revert UnknownIdentity(identity);
        bytes memory acl = _encodeAcl(members, roles);
        if (_isCurrent(identity, record, acl, storePredicate)) revert AlreadyDone();
        _checkConsents(identity, members, acl, storePredicate, record.nonce, signatures);
        _write(identity, record, members, roles, acl, storePredicate);
        emit IdentityUpdated(identity, members, roles, storePredicate);
    }

    /// @notice ACL[member] as role bits, zero for strangers.
    function rolesOf(address identity, address member) external view returns (uint64) {
        return _roles[identity][member];
    }

    /// @notice q_store of the identity; zero stands for any member.
    function storePredicateOf(address identity) external view returns (bytes32) {
        return _identities[identity].storePredicate;
    }

    /// @return nonce Zero if there is no such identity, else one more than its number of updates.
    /// @return storePredicate q_store, zero for any member.
    /// @return acl L[addr_P]: 28 bytes per member, account and roles.
    function identityOf(
        address identity
    ) external view returns (uint32 nonce, bytes32 storePredicate, bytes memory acl) {
        Identity storage record = _identities[identity];
        return (record.nonce, record.storePredicate, _dictionary.get(address(this), _key(identity)));
    }

    function _write(
        address identity,
        Identity storage record,
        address[] calldata members,
        uint64[] calldata roles,
        bytes memory acl,
        bytes32 storePredicate
    ) private {
        record.nonce += 1;
        record.storePredicate = storePredicate;
        for (uint256 i = 0; i < members.length; ++i) _roles[identity][members[i]] = roles[i];
        if (keccak256(_dictionary.get(address(this), _key(identity))) != keccak256(acl))
            _dictionary.set(_key(identity), acl);
    }

    function _isCurrent(
        address identity,
        Identity storage record,
        bytes memory acl,
        bytes32 storePredicate
    ) private view returns (bool) {
        return
            record.storePredicate == storePredicate &&
            keccak256(_dictionary.get(address(this), _key(identity))) == keccak256(acl);
    }

    function _checkConsents(
        address identity,
        address[] calldata members,
        bytes memory acl,
        bytes32 storePredicate,
        uint256 nonce,
        bytes[] calldata signatures
    ) private view {
        if (signatures.length != members.length) revert InvalidLength();
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(CONSENT_TYPEHASH, identity, keccak256(acl), storePredicate, nonce))
        );
        for (uint256 i = 0; i < members.length; ++i) {
            if (members[i] == msg.sender) continue;
            (address signer, , ) = ECDSA.tryRecover(digest, signatures[i]);
            if (signer != members[i]) revert InvalidSignature(members[i]);
        }
    }

    function _encodeAcl(address[] calldata members, uint64[] calldata roles) private pure returns (bytes memory acl) {
        if (roles.length != members.length) revert InvalidLength();
        for (uint256 i = 0; i < members.length; ++i) {
            if (roles[i] == 0) revert NoRoles(members[i]);
            acl = bytes.concat(acl, abi.encodePacked(members[i], roles[i]));
        }
    }

    function _key(address identity) private pure returns (bytes32) {
        return bytes32(uint256(uint160(identity)));
    }
}
