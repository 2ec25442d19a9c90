// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {AlreadyDone, InvalidLength, InvalidSignature, NotAuthorised} from "./Errors.sol";
import {Jobs} from "./Jobs.sol";
import {NodeRegistry} from "./NodeRegistry.sol";

/// @title Evidence against members of a committee (paper §5.1.2; identifiable abort)
/// @notice Convicts a registered node by what it has signed with its node key: an opening that does not fit its
/// commitment, two payloads for one round of one run, or silence after a demand. What an honest node signs never
/// fits any of these. A run is one execution of a job; `nonce` makes its name unique.
contract Evidence is EIP712 {
    enum Kind {
        WrongOpening,
        Equivocation,
        Silence
    }

    /// @dev g^value·h^mask is claimed to be the point (x, y) of BN254's G1.
    struct Opening {
        uint32 round;
        uint32 position;
        uint256 x;
        uint256 y;
        uint256 value;
        uint256 mask;
    }

    struct SignedRound {
        bytes32 previous;
        bytes32 payload;
        bytes signature;
    }

    struct Verdict {
        Kind kind;
        address reporter;
        uint48 time;
    }

    struct Demand {
        bytes32 id;
        uint48 deadline;
        bool answered;
    }

    uint256 public constant MAX_ANSWER_BYTES = 4096;
    uint256 private constant P = 21888242871839275222246405745257275088696311157297823662689037894645226208583;
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// @dev h of core/commitments/generators.ts; nobody knows its logarithm to the base g = (1, 2).
    uint256 private constant HX = 19465640118052058194706560154754930709771034061331429286003840118498668793738;
    uint256 private constant HY = 3447484961235021844386428498719682572819592740851264624639440825336437916897;
    bytes32 private constant RUN_TYPEHASH = keccak256("Run(bytes32 jobId,bytes32 nonce)");
    bytes32 private constant ROUND_TYPEHASH =
        keccak256("Round(bytes32 run,uint32 round,bytes32 previous,bytes32 payload)");
    bytes32 private constant OPENING_TYPEHASH =
        keccak256(
            "Opening(bytes32 run,uint32 round,uint32 position,uint256 x,uint256 y,uint256 value,uint256 mask)"
        );
    bytes32 private constant ANSWER_TYPEHASH = keccak256("Answer(bytes32 demand,bytes32 content)");

    NodeRegistry private immutable _registry;
    Jobs private immutable _jobs;
    /// @notice Seconds that a node has to answer a demand.
    uint256 public immutable answerSeconds;
    mapping(bytes32 jobId => mapping(address party => Verdict[])) private _verdicts;
    mapping(bytes32 jobId => mapping(address party => Demand)) private _demands;
    mapping(bytes32 jobId => mapping(address party => mapping(address demander => bool))) private _demanded;

    event CheaterConvicted(bytes32 indexed jobId, address indexed party, Kind kind, address indexed reporter);
    event AnswerDemanded(
        bytes32 indexed jobId,
        address indexed party,
        bytes32 demand,
        bytes32 nonce,
        uint32 round,
        uint256 deadline
    );
    event DemandAnswered(bytes32 indexed jobId, address indexed party, bytes32 demand, bytes content);

    error NotRegistered(address party);
    /// @notice The evidence shows nothing that an honest node would not have done.
    error NotEvidence();
    error InvalidPoint();
    error DemandOpen(bytes32 demand);
    error NoDemand(bytes32 jobId, address party);
    error DeadlineNotReached(uint256 deadline);
    error DeadlinePassed(uint256 deadline);

    constructor(NodeRegistry registry, Jobs jobs, uint256 answerSeconds_) EIP712("Enigma Evidence", "1") {
        _registry = registry;
        _jobs = jobs;
        answerSeconds = answerSeconds_;
    }

    /// @notice A signed opening that does not fit its commitment. Values beyond the field and points that are not
    /// finite points of the curve prove nothing.
    function reportOpening(
        bytes32 jobId,
        bytes32 nonce,
        address party,
        Opening calldata o,
        bytes calldata signature
    ) external {
        if (o.value >= R || o.mask >= R) revert NotEvidence();
        _requirePoint(o.x, o.y);
        _requireSigned(
            keccak256(
                abi.encode(OPENING_TYPEHASH, _run(jobId, nonce), o.round, o.position, o.x, o.y, o.value, o.mask)
            ),
            party,
            signature
        );
        (uint256 x, uint256 y) = _commit(o.value, o.mask);
        if (x == o.x && y == o.y) revert NotEvidence();
        _convict(jobId, party, Kind.WrongOpening);
    }

    /// @notice Two different broadcasts, or two different histories, signed for one round of one run.
    function reportEquivocation(
        bytes32 jobId,
        bytes32 nonce,
        address party,
        uint32 round,
        SignedRound calldata a,
        SignedRound calldata b
    ) external {
        if (a.previous == b.previous && a.payload == b.payload) revert NotEvidence();
        bytes32 run = _run(jobId, nonce);
        _requireSigned(_round(run, round, a), party, a.signature);
        _requireSigned(_round(run, round, b), party, b.signature);
        _convict(jobId, party, Kind.Equivocation);
    }

    /// @notice Asks a node that has signed a round of this job to say what comes next. By the job's requester or the
    /// account of a serving node, once each for a party; one demand to a party at a time.
    function demand(
        bytes32 jobId,
        bytes32 nonce,
        address party,
        uint32 round,
        SignedRound calldata last,
        address asNode
    ) external {
        if (_jobs.jobOf(jobId).requester != msg.sender) {
            if (!_registry.isServing(asNode) || _registry.nodeOf(asNode).account != msg.sender)
                revert NotAuthorised(msg.sender);
        }
        if (_demanded[jobId][party][msg.sender]) revert AlreadyDone();
        Demand storage open = _demands[jobId][party];
        if (open.id != bytes32(0) && !open.answered) revert DemandOpen(open.id);
        _requireSigned(_round(_run(jobId, nonce), round, last), party, last.signature);
        _demanded[jobId][party][msg.sender] = true;
        bytes32 id = keccak256(abi.encode(jobId, nonce, party, round, msg.sender));
        uint256 deadline = block.timestamp + answerSeconds;
        open.id = id;
        open.deadline = uint48(deadline);
        open.answered = false;
        emit AnswerDemanded(jobId, party, id, nonce, round, deadline);
    }

    /// @notice The node's answer, brought by anyone with the node's signature. Its content is judged by whoever
    /// verifies the run.
    function answer(bytes32 jobId, address party, bytes calldata content, bytes calldata signature) external {
        if (content.length == 0 || content.length > MAX_ANSWER_BYTES) revert InvalidLength();
        Demand storage open = _demands[jobId][party];
        bytes32 id = open.id;
        if (id == bytes32(0)) revert NoDemand(jobId, party);
        if (open.answered) revert AlreadyDone();
        if (block.timestamp > open.deadline) revert DeadlinePassed(open.deadline);
        _requireSigned(keccak256(abi.encode(ANSWER_TYPEHASH, id, keccak256(content))), party, signature);
        open.answered = true;
        emit DemandAnswered(jobId, party, id, content);
    }

    /// @notice A demand was not answered in time.
    function reportSilence(bytes32 jobId, address party) external {
        Demand storage open = _demands[jobId][party];
        if (open.id == bytes32(0) || open.answered) revert NoDemand(jobId, party);
        if (block.timestamp <= open.deadline) revert DeadlineNotReached(open.deadline);
        if (!_registry.isRegistered(party)) revert NotRegistered(party);
        _convict(jobId, party, Kind.Silence);
    }

    /// @notice The verdicts on a party of a job, at most one of each kind, in the order in which they fell.
    function verdictsOf(bytes32 jobId, address party) external view returns (Verdict[] memory) {
        return _verdicts[jobId][party];
    }

    function demandOf(bytes32 jobId, address party) external view returns (Demand memory) {
        return _demands[jobId][party];
    }

    function _convict(bytes32 jobId, address party, Kind kind) private {
        Verdict[] storage verdicts = _verdicts[jobId][party];
        uint256 count = verdicts.length;
        for (uint256 i = 0; i < count; ++i) {
            if (verdicts[i].kind == kind) revert AlreadyDone();
        }
        verdicts.push(Verdict({kind: kind, reporter: msg.sender, time: uint48(block.timestamp)}));
        emit CheaterConvicted(jobId, party, kind, msg.sender);
    }

    /// @dev `party` is a registered node, and the signature is of its key, for this chain and this contract.
    function _requireSigned(bytes32 structHash, address party, bytes calldata signature) private view {
        if (!_registry.isRegistered(party)) revert NotRegistered(party);
        (address signer, , ) = ECDSA.tryRecover(_hashTypedDataV4(structHash), signature);
        if (signer == address(0) || signer != party) revert InvalidSignature(party);
    }

    function _run(bytes32 jobId, bytes32 nonce) private pure returns (bytes32) {
        return keccak256(abi.encode(RUN_TYPEHASH, jobId, nonce));
    }

    function _round(bytes32 run, uint32 round, SignedRound calldata s) private pure returns (bytes32) {
        return keccak256(abi.encode(ROUND_TYPEHASH, run, round, s.previous, s.payload));
    }

    function _requirePoint(uint256 x, uint256 y) private pure {
        if (x >= P || y >= P || mulmod(y, y, P) != addmod(mulmod(mulmod(x, x, P), x, P), 3, P))
            revert InvalidPoint();
    }

    /// @dev g^value·h^mask by the precompiles of EIP-196.
    function _commit(uint256 value, uint256 mask) private view returns (uint256 x, uint256 y) {
        (uint256 ax, uint256 ay) = _precompiled(7, abi.encode(1, 2, value));
        (uint256 bx, uint256 by) = _precompiled(7, abi.encode(HX, HY, mask));
        return _precompiled(6, abi.encode(ax, ay, bx, by));
    }

    function _precompiled(uint160 number, bytes memory input) private view returns (uint256 x, uint256 y) {
        // solhint-disable-next-line avoid-low-level-calls
        (bool ok, bytes memory out) = address(number).staticcall(input);
        if (!ok || out.length != 64) revert InvalidPoint();
        return abi.decode(out, (uint256, uint256));
    }
}
