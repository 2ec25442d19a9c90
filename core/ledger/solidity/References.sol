// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AlreadyDone, InvalidLength, NotAuthorised} from "./Errors.sol";
import {Identities} from "./Identities.sol";
import {PredicateContext, Refusal} from "./PredicateCode.sol";
import {Predicates} from "./Predicates.sol";

/// @title References a_x to off-chain data (paper §4, Alg. 3 and 4)
/// @notice Who owns the data, what commits to it, and which predicates guard it.
contract References {
    enum Kind {
        Share,
        Encrypted,
        Public
    }
    enum State {
        None,
        Active,
        Revoked
    }

    struct Input {
        address identity;
        bytes32 xRef;
        Kind kind;
        uint32 length;
        uint8 n;
        uint8 t;
        bytes32 computePredicate;
        bytes32 readPredicate;
        bytes32 commitmentsDigest;
        bytes32 c0x;
        bytes32 c0y;
    }

    struct Reference {
        address owner;
        State state;
        Kind kind;
        uint8 n;
        uint8 t;
        uint32 length;
        uint32 epoch;
        address identity;
        uint48 createdBlock;
        uint32 uses;
        bytes32 computePredicate;
        bytes32 readPredicate;
        bytes32 commitmentsDigest;
        bytes32 c0x;
        bytes32 c0y;
    }

    /// @dev What stood before block `until`.
    struct Past {
        uint48 until;
        State state;
        bytes32 computePredicate;
        bytes32 readPredicate;
    }

    Identities private immutable _identities;
    Predicates private immutable _predicates;
    address private immutable _jobs;
    mapping(bytes32 ref => Reference) private _references;
    mapping(bytes32 ref => Past[]) private _past;

    event ReferenceCreated(
        bytes32 indexed ref,
        address indexed identity,
        address indexed owner,
        Kind kind,
        uint32 length
    );
    event ReferencePredicatesChanged(bytes32 indexed ref, bytes32 computePredicate, bytes32 readPredicate);
    event ReferenceRevoked(bytes32 indexed ref);

    error ReferenceExists(bytes32 ref);
    error ReferenceNotActive(bytes32 ref);
    error NotShared(bytes32 ref);
    error InvalidReference();
    error UnknownPredicate(bytes32 predicateId);
    error StoreDenied(address account, address identity);
    error RequesterDenied(bytes32 ref);
    error GrantExpired(bytes32 ref);
    error GrantUsedUp(bytes32 ref);
    error FunctionNotAllowed(bytes32 ref);
    error CohortTooSmall(bytes32 ref);
    error ApprovalMissing(bytes32 ref);

    constructor(Identities identities, Predicates predicates, address jobs) {
        _identities = identities;
        _predicates = predicates;
        _jobs = jobs;
    }

    /// @notice Alg. 3, Store: each input becomes a_x = H(addr_P || x_ref), owned by the sender.
    function create(Input[] calldata inputs) external {
        if (inputs.length == 0) revert InvalidLength();
        for (uint256 i = 0; i < inputs.length; ++i) _create(inputs[i]);
    }

    /// @notice Sets both predicates. Admissions and use counts under the old ones end.
    function changePredicates(bytes32 ref, bytes32 computePredicate, bytes32 readPredicate) external {
        Reference storage r = _ownActive(ref);
        if (r.computePredicate == computePredicate && r.readPredicate == readPredicate) revert AlreadyDone();
        _requirePublished(computePredicate);
        _requirePublished(readPredicate);
        _past[ref].push(Past(uint48(block.number), r.state, r.computePredicate, r.readPredicate));
        r.computePredicate = computePredicate;
        r.readPredicate = readPredicate;
        r.epoch += 1;
        r.uses = 0;
        emit ReferencePredicatesChanged(ref, computePredicate, readPredicate);
    }

    /// @notice Ends every permission on the reference, for good.
    function revoke(bytes32 ref) external {
        Reference storage r = _references[ref];
        if (r.state == State.Revoked && r.owner == msg.sender) revert AlreadyDone();
        _ownActive(ref);
        _past[ref].push(Past(uint48(block.number), r.state, r.computePredicate, r.readPredicate));
        r.state = State.Revoked;
        emit ReferenceRevoked(ref);
    }

    /// @notice Evaluates the compute predicate for a job and counts the use. Only for the jobs contract.
    /// @return usesBefore Uses before this one.
    /// @return epoch The predicates' epoch, to be given to `permits`.
    function admit(
        bytes32 ref,
        address requester,
        bytes32 functionId,
        uint32 cohort,
        bool approved
    ) external returns (uint32 usesBefore, uint32 epoch) {
        if (msg.sender != _jobs) revert NotAuthorised(msg.sender);
        Reference storage r = _references[ref];
        if (r.state != State.Active) revert ReferenceNotActive(ref);
        if (r.computePredicate == 0) revert RequesterDenied(ref);
        usesBefore = r.uses;
        epoch = r.epoch;
        (Refusal reason, bool counted) = _predicates.check(
            r.computePredicate,
            PredicateContext(
                requester,
                r.owner,
                r.identity,
                functionId,
                cohort,
                approved,
                usesBefore,
                uint64(block.timestamp)
            )
        );
        if (reason == Refusal.Denied) revert RequesterDenied(ref);
        if (reason == Refusal.Expired) revert GrantExpired(ref);
        if (reason == Refusal.UsedUp) revert GrantUsedUp(ref);
        if (reason == Refusal.FunctionNotAllowed) revert FunctionNotAllowed(ref);
        if (reason == Refusal.CohortTooSmall) revert CohortTooSmall(ref);
        if (reason == Refusal.ApprovalMissing) revert ApprovalMissing(ref);
        if (counted) r.uses = usesBefore + 1;
    }

    /// @notice Whether what `admit` granted still holds: not revoked, same predicates, not expired since.
    /// @param time Seconds since the Unix epoch at which to ask.
    function permits(
        bytes32 ref,
        address requester,
        bytes32 functionId,
        uint32 cohort,
        bool approved,
        uint32 usesBefore,
        uint32 epoch,
        uint64 time
    ) external view returns (bool) {
        Reference storage r = _references[ref];
        if (r.state != State.Active || r.epoch != epoch || r.computePredicate == 0) return false;
        (Refusal reason, ) = _predicates.check(
            r.computePredicate,
            PredicateContext(requester, r.owner, r.identity, functionId, cohort, approved, usesBefore, time)
        );
        return reason == Refusal.None;
    }

    /// @notice Alg. 3, Load: may `account` read the record?
    /// @param notBefore The asker's own clock; the later of it and the block's time counts.
    function canRead(bytes32 ref, address account, uint64 notBefore) external view returns (bool) {
        Reference storage r = _references[ref];
        if (r.state != State.Active) return false;
        if (r.readPredicate == 0) return account == r.owner;
        uint64 time = notBefore > block.timestamp ? notBefore : uint64(block.timestamp);
        (Refusal reason, ) = _predicates.check(
            r.readPredicate,
            PredicateContext(account, r.owner, r.identity, 0, 0, false, 0, time)
        );
        return reason == Refusal.None;
    }

    function referencesOf(bytes32[] calldata refs) external view returns (Reference[] memory list) {
        list = new Reference[](refs.length);
        for (uint256 i = 0; i < refs.length; ++i) list[i] = _references[refs[i]];
    }

    /// @notice L.get(a_x, t): state and predicates at the end of a past block.
    function policyAt(bytes32 ref, uint256 blockNumber) external view returns (State, bytes32, bytes32) {
        Reference storage r = _references[ref];
        if (r.state == State.None || blockNumber < r.createdBlock) return (State.None, 0, 0);
        Past[] storage past = _past[ref];
        uint256 low = 0;
        uint256 high = past.length;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (past[middle].until > blockNumber) high = middle;
            else low = middle + 1;
        }
        if (low == past.length) return (r.state, r.computePredicate, r.readPredicate);
        return (past[low].state, past[low].computePredicate, past[low].readPredicate);
    }

    /// @notice Owners of the references; zero for unknown ones.
    function ownersOf(bytes32[] calldata refs) external view returns (address[] memory owners) {
        owners = new address[](refs.length);
        for (uint256 i = 0; i < refs.length; ++i) owners[i] = _references[refs[i]].owner;
    }

    /// @notice Owners of the references; reverts unless all are active and shared.
    function computableOwnersOf(bytes32[] calldata refs) external view returns (address[] memory owners) {
        owners = new address[](refs.length);
        for (uint256 i = 0; i < refs.length; ++i) {
            Reference storage r = _references[refs[i]];
            if (r.state != State.Active) revert ReferenceNotActive(refs[i]);
            if (r.kind != Kind.Share) revert NotShared(refs[i]);
            owners[i] = r.owner;
        }
    }

    function _create(Input calldata input) private {
        bytes32 ref = keccak256(abi.encodePacked(input.identity, input.xRef));
        Reference storage r = _references[ref];
        if (r.state != State.None) {
            if (r.owner == msg.sender && r.commitmentsDigest == input.commitmentsDigest) revert AlreadyDone();
            revert ReferenceExists(ref);
        }
        if (input.length == 0 || input.n == 0 || input.t >= input.n) revert InvalidReference();
        if (input.kind == Kind.Share && (input.t == 0 || !_isPoint(input.c0x, input.c0y))) revert InvalidReference();
        _requirePublished(input.computePredicate);
        _requirePublished(input.readPredicate);
        _requireStore(input.identity);
        r.owner = msg.sender;
        r.state = State.Active;
        r.kind = input.kind;
        r.n = input.n;
        r.t = input.t;
        r.length = input.length;
        r.identity = input.identity;
        r.createdBlock = uint48(block.number);
        r.computePredicate = input.computePredicate;
        r.readPredicate = input.readPredicate;
        r.commitmentsDigest = input.commitmentsDigest;
        r.c0x = input.c0x;
        r.c0y = input.c0y;
        emit ReferenceCreated(ref, input.identity, msg.sender, input.kind, input.length);
    }

    /// @dev A member whom q_store admits; without q_store any member.
    function _requireStore(address identity) private view {
        bool allowed = _identities.rolesOf(identity, msg.sender) != 0;
        bytes32 predicate = _identities.storePredicateOf(identity);
        if (allowed && predicate != 0) {
            (Refusal reason, ) = _predicates.check(
                predicate,
                PredicateContext(msg.sender, msg.sender, identity, 0, 0, false, 0, uint64(block.timestamp))
            );
            allowed = reason == Refusal.None;
        }
        if (!allowed) revert StoreDenied(msg.sender, identity);
    }

    function _requirePublished(bytes32 predicate) private view {
        if (predicate != 0 && !_predicates.isPublished(predicate)) revert UnknownPredicate(predicate);
    }

    function _ownActive(bytes32 ref) private view returns (Reference storage r) {
        r = _references[ref];
        if (r.state != State.Active) revert ReferenceNotActive(ref);
        if (r.owner != msg.sender) revert NotAuthorised(msg.sender);
    }

    /// @dev The precompile for point addition accepts exactly the points of BN254's G1; infinity is refused.
    function _isPoint(bytes32 x, bytes32 y) private view returns (bool ok) {
        if (x == 0 && y == 0) return false;
        (ok, ) = address(6).staticcall(abi.encode(x, y, uint256(0), uint256(0)));
    }
}
