export { mul, sqr, add, sub, inverse } from './field'
export {
  addVector, subVector, mulVector, sumOfProducts, innerVector, sumVector, evaluateSmall, inverseVector,
  fromBytesVector, toBytesVector, firstNotCanonical, fromWideVector, gatherVector, broadcastVector, equalVector,
} from './vector'
export {
  addPoints, scalePoints, buildTable, recode, fixedBase, msm,
  fromUncompressed, toUncompressed, fromCompressed, toCompressed,
} from './curve'
export {
  roundingRest, setPrime, nttForward, nttBackward, mulPlane, mulAddPlane, addPlane, subPlane, scalePlane,
  combinePlanes, roundedSum, addRotated, addShifted, sampleBinomial, sampleTernary, splitIntegers, joinIntegers,
  splitElements, planesToField, fieldForward, fieldBackward, packResidues, unpackResidues,
} from './ring'
