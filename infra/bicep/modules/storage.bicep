metadata description = 'A storage account with private containers that only Entra identities can open.'

@minLength(3)
@maxLength(24)
param name string
param location string
param tags object
param workspaceId string

@description('Blob containers to create.')
param containers string[]

@description('What the app may do with the blobs: the Functions host needs owner, for reading and writing contributor is enough.')
@allowed(['owner', 'contributor'])
param appRole string
param appPrincipalId string

@description('Redundancy of the account.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param skuName string

@description('Days in which a deleted blob or container can be brought back.')
@minValue(1)
@maxValue(365)
param softDeleteDays int

@description('The blobs are recordings: earlier versions are kept for the soft delete period, and every access is logged.')
param keepsRecordings bool

@description('Days after which the blobs of a container are deleted, by its name; those of all others, and where it is 0, stay until somebody deletes them.')
param expiryDays object = {}

var blobRoles = {
  owner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  contributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
}
var blobRole = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobRoles[appRole])
var expiring = filter(items(expiryDays), item => item.value > 0)
var expiries = map(expiring, item => {
  name: 'expire-${item.key}'
  type: 'Lifecycle'
  enabled: true
  definition: {
    filters: { blobTypes: ['blockBlob', 'appendBlob'], prefixMatch: ['${item.key}/'] }
    actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: item.value } } }
  }
})
// What is deleted, or replaced, is gone for good after the days of soft delete.
var forgetting = [
  {
    name: 'forget-versions'
    type: 'Lifecycle'
    enabled: true
    definition: {
      filters: { blobTypes: ['blockBlob', 'appendBlob'] }
      actions: { version: { delete: { daysAfterCreationGreaterThan: softDeleteDays } } }
    }
  }
]

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: skuName }
  properties: {
    accessTier: 'Hot'
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    // The plan has no network of its own yet; tokens guard the account, not addresses.
    networkAcls: { defaultAction: 'Allow', bypass: 'AzureServices' }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: keepsRecordings
    deleteRetentionPolicy: { enabled: true, days: softDeleteDays }
    containerDeleteRetentionPolicy: { enabled: true, days: softDeleteDays }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = [for item in containers: {
  parent: blobs
  name: item
  properties: { publicAccess: 'None' }
}]

resource expiry 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = if (keepsRecordings) {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: concat(expiries, forgetting)
    }
  }
  dependsOn: [blobs]
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, appPrincipalId, blobRole)
  scope: account
  properties: { roleDefinitionId: blobRole, principalId: appPrincipalId, principalType: 'ServicePrincipal' }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: blobs
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageRead', enabled: keepsRecordings }
      { category: 'StorageWrite', enabled: keepsRecordings }
      { category: 'StorageDelete', enabled: true }
    ]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

output name string = account.name
output blobEndpoint string = account.properties.primaryEndpoints.blob
